/* SPDX-License-Identifier: Apache-2.0
 * The command exec: a process in the guest of a running container. */
#ifndef RUNTIME_EXEC_H
#define RUNTIME_EXEC_H

#include "lib/err.h"

struct cli;

/* Returns only when something failed; with an empty err when the delegate has
 * said what. */
int exec_exec(struct cli *cli, struct err *err);

#endif
