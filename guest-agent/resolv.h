/* SPDX-License-Identifier: Apache-2.0
 * The resolv.conf(5) that takes the place of the image's. */
#ifndef GUEST_AGENT_RESOLV_H
#define GUEST_AGENT_RESOLV_H

#include <stdbool.h>
#include <stddef.h>

#include "guest-agent/spec.h"
#include "lib/err.h"

/* There is something to write. */
bool resolv_wanted(const struct dns_spec *dns);

/* The text of the file; the caller frees it. NULL: no memory. */
char *resolv_text(const struct dns_spec *dns, size_t *len);

/*
 * The file as a detached mount, in a tmpfs of its own. scratch is a directory
 * in the caller's mount namespace with nothing mounted on it, before and
 * after.
 */
int
resolv_create(const struct dns_spec *dns, const char *scratch, struct err *err);

#endif
