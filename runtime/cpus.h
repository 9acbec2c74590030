/* SPDX-License-Identifier: Apache-2.0
 * How many CPUs the guest gets. */
#ifndef RUNTIME_CPUS_H
#define RUNTIME_CPUS_H

#include <stdbool.h>

#include "lib/err.h"

struct hostfacts;
struct json_object;
struct settings;

struct cpus {
	unsigned n;
	bool by_limit; /* n is what the container's limits allow */
};

/*
 * RUNQ_CPU says it. Without it the container's limits do: as many CPUs as its
 * quota (docker run --cpus) fills, no more than its cpuset (--cpuset-cpus) or
 * this host has. Without limits it is --cpu of the runtime.
 */
int cpus_derive(struct json_object *config, const struct settings *s,
    const struct hostfacts *facts, struct cpus *cpus, struct err *err);

#endif
