/* SPDX-License-Identifier: Apache-2.0
 * Resource limits by the names of the OCI runtime-spec (config.md, "POSIX
 * process"; getrlimit(2)). */
#ifndef LIB_RLIMIT_NAMES_H
#define LIB_RLIMIT_NAMES_H

#include <stddef.h>

#define RLIMIT_NAMES 16

struct rlimit_name {
	const char *name; /* "RLIMIT_NOFILE" */
	int resource;
};

extern const struct rlimit_name rlimit_names[RLIMIT_NAMES];

/* The entry of a name, or NULL. */
const struct rlimit_name *rlimit_by_name(const char *name);

#endif
