/* SPDX-License-Identifier: Apache-2.0
 * Resource limits by name (runtime-spec config.md, "rlimits"). */
#ifndef GUEST_AGENT_RLIMITS_H
#define GUEST_AGENT_RLIMITS_H

#include <stddef.h>
#include <sys/resource.h>

#include "lib/err.h"

struct json_object;

struct rlimits {
	struct {
		int resource; /* RLIMIT_*, getrlimit(2) */
		struct rlimit limit;
	} v[RLIM_NLIMITS];
	size_t n;
};

/* array may be NULL: no limits. Each name at most once. */
int rlimits_read(struct json_object *array, const char *where,
    struct rlimits *out, struct err *err);

/* For the calling process. */
int rlimits_apply(const struct rlimits *limits, struct err *err);

#endif
