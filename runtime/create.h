/* SPDX-License-Identifier: Apache-2.0
 * The commands create and run: derive the bundle, then become the delegate. */
#ifndef RUNTIME_CREATE_H
#define RUNTIME_CREATE_H

#include "lib/err.h"

struct cli;

/* Returns only when something failed. */
int create_exec(struct cli *cli, struct err *err);

#endif
