/* SPDX-License-Identifier: Apache-2.0
 * The command update: other limits for a container that runs. */
#ifndef RUNTIME_UPDATE_H
#define RUNTIME_UPDATE_H

#include "lib/err.h"

struct cli;

/*
 * A limit of memory is the guest's: its balloon follows, down to VM_MEM_MIN
 * and up to what the VM was made with, and the container around it gets the
 * VM's overhead on top. More than the VM was made with is refused, with a
 * sentence. Everything else is the delegate's. Returns -1 only.
 */
int update_exec(struct cli *cli, struct err *err);

#endif
