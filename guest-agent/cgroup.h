/* SPDX-License-Identifier: Apache-2.0
 * The container's control group (kernel admin-guide/cgroup-v2.rst). */
#ifndef GUEST_AGENT_CGROUP_H
#define GUEST_AGENT_CGROUP_H

#include <stdint.h>

#include "lib/err.h"

/*
 * Makes the group of all the container's processes, with every controller that
 * the kernel has. pids: the most processes it may hold; 0 and below: any
 * number; memory: bytes, likewise. Returns its directory, for
 * CLONE_INTO_CGROUP.
 */
int cgroup_create(int64_t pids, int64_t memory, struct err *err);

/* The group below it for processes that it cannot hold itself any more, since
 * it controls groups of its own ("No Internal Process Constraint"). */
int cgroup_leaf(int group, struct err *err);

#endif
