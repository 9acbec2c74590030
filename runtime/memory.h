/* SPDX-License-Identifier: Apache-2.0
 * How much memory the guest gets, and the limit of the container around it. */
#ifndef RUNTIME_MEMORY_H
#define RUNTIME_MEMORY_H

#include <stdint.h>

#include "lib/err.h"

struct json_object;
struct settings;

struct memory {
	unsigned guest_mib;
	int64_t raise;	     /* bytes to add to the container's limits */
	int64_t group_limit; /* bytes, of the control group in the guest; 0:
			      * the guest's memory is the limit */
};

/*
 * A limit (docker run --memory) is the guest's memory, and the container's
 * grows by VM_OVERHEAD_MIB. A limit below what a guest boots with is kept
 * inside the guest, by a control group. With RUNQ_MEM too, the limit is taken
 * as it is and must leave room for both.
 */
int memory_derive(struct json_object *config, const struct settings *s,
    struct memory *m, struct err *err);

/* Applies m to a copy of linux.resources. */
void memory_raise(const struct memory *m, struct json_object *resources);

#endif
