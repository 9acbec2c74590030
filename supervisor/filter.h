/* SPDX-License-Identifier: Apache-2.0
 * The supervisor's own seccomp filter, an allowlist. */
#ifndef SUPERVISOR_FILTER_H
#define SUPERVISOR_FILTER_H

#include <stdbool.h>

#include "lib/err.h"

/* The filter as a libseccomp context, which seccomp_release(3) frees; NULL with
 * err. */
void *filter_new(bool dns, struct err *err);

/* Installs it. Needs no_new_privs. A system call that is not listed kills the
 * process. dns: sockets for Docker's DNS server may be made. */
int filter_install(bool dns, struct err *err);

#endif
