/* SPDX-License-Identifier: Apache-2.0
 * The container's root file system: built below the agent's, then the only one
 * there is. */
#ifndef GUEST_AGENT_ROOT_H
#define GUEST_AGENT_ROOT_H

#include "guest-agent/spec.h"
#include "lib/err.h"

/*
 * For a child in a new mount namespace: afterwards / is the container's root
 * with all its mounts, and nothing of the agent's is reachable. proc is the
 * root of a proc file system of the caller's pid namespace.
 */
int root_enter(const struct container_spec *c, int proc, struct err *err);

/* The last step, when nothing is to be made in it any more: read-only paths,
 * masked paths, and the root itself when it is to be read-only. */
int root_seal(const struct container_spec *c, struct err *err);

#endif
