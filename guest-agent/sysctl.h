/* SPDX-License-Identifier: Apache-2.0
 * Kernel parameters by their sysctl(8) names. */
#ifndef GUEST_AGENT_SYSCTL_H
#define GUEST_AGENT_SYSCTL_H

#include <stddef.h>

#include "lib/err.h"

/*
 * The path below /proc, "sys/net/core/somaxconn", of "net.core.somaxconn" or
 * "net/core/somaxconn" (then a dot is part of a name, as in "eth0.1"). -1 for
 * anything else.
 */
int sysctl_path(const char *name, char *out, size_t size, struct err *err);

/* Writes the value; proc is the root of a proc file system. What it changes
 * depends on the caller's namespaces. */
int
sysctl_write(int proc, const char *name, const char *value, struct err *err);

#endif
