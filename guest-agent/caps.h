/* SPDX-License-Identifier: Apache-2.0
 * Capability sets by name, and the calls that apply them (capabilities(7)). */
#ifndef GUEST_AGENT_CAPS_H
#define GUEST_AGENT_CAPS_H

#include <stdint.h>

#include "lib/err.h"

struct json_object;

/* A bit per capability, bit 0 is CAP_CHOWN. */
struct cap_sets {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

/*
 * Reads "capabilities" of an OCI process. A name that is no capability's is an
 * error; what the running kernel does not have is dropped when applied.
 */
int caps_read(struct json_object *o, const char *where, struct cap_sets *out,
    struct err *err);

/* Before the user is changed: drops the bounding set, keeps the rest. */
int caps_before_user(const struct cap_sets *caps, struct err *err);
/* After it: the other four sets. */
int caps_after_user(const struct cap_sets *caps, struct err *err);

#endif
