/* SPDX-License-Identifier: Apache-2.0
 * Reading a file or pipe to its end. */
#ifndef RUNTIME_SLURP_H
#define RUNTIME_SLURP_H

#include "lib/err.h"

struct buf;

/* Appends all of fd to b, as far as its bound allows; what names the source
 * in errors. */
int slurp(int fd, const char *what, struct buf *b, struct err *err);

#endif
