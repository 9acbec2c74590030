/* SPDX-License-Identifier: Apache-2.0
 * The OCI runtime (runc, crun) that this program becomes. */
#ifndef RUNTIME_DELEGATE_H
#define RUNTIME_DELEGATE_H

#include "lib/err.h"

struct cli;

/* The path of the delegate: name itself when it has a slash, else the first
 * executable of that name in PATH. Allocated; NULL and err when there is
 * none. */
char *delegate_find(const char *name, struct err *err);

/*
 * Execs it with the command line in cli. The container inherits the file
 * descriptors 3 to last_fd; last_fd 2: none. Returns only on failure.
 */
int delegate_exec(
    const char *path, const struct cli *cli, int last_fd, struct err *err);

#endif
