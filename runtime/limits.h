/* SPDX-License-Identifier: Apache-2.0
 * Resource limits by the names of the OCI runtime-spec (config.md, "POSIX
 * process"), and those that this process has. */
#ifndef RUNTIME_LIMITS_H
#define RUNTIME_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/rlimit_names.h"

struct limit {
	const char *type; /* "RLIMIT_NOFILE" */
	uint64_t soft;	  /* UINT64_MAX: none */
	uint64_t hard;
};

struct limits {
	struct limit v[RLIMIT_NAMES];
	size_t n;
};

/* What a process inherits that this one starts. */
void limits_collect(struct limits *l);

#endif
