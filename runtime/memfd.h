/* SPDX-License-Identifier: Apache-2.0
 * Documents for another program, in sealed memfds: nobody changes them after
 * they were checked. */
#ifndef RUNTIME_MEMFD_H
#define RUNTIME_MEMFD_H

#include <stddef.h>

#include "lib/err.h"

/* The text in a sealed memfd_create(2) file of that name, which stands at its
 * beginning and is closed by exec. -1 with err. */
int memfd_make(const char *name, const char *text, size_t len, struct err *err);

/* The same at the descriptor fd, whatever that was before, and inherited. */
int memfd_place(
    int fd, const char *name, const char *text, size_t len, struct err *err);

#endif
