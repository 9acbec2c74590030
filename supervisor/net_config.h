/* SPDX-License-Identifier: Apache-2.0
 * The "network" member of START (doc/vm-spec.md), out of what the namespace
 * has. */
#ifndef SUPERVISOR_NET_CONFIG_H
#define SUPERVISOR_NET_CONFIG_H

#include "lib/err.h"
#include "supervisor/net_state.h"

struct json_object;

/* Is this link one that moves to the guest? 1 yes, 0 no, -1: it cannot be
 * carried, err names it. */
int net_config_carries(const struct net_link *link, struct err *err);

/* The links that are carried, by ifindex, with their addresses and routes.
 * NULL: no memory. The caller puts it. */
struct json_object *net_config_json(const struct net_state *state);

#endif
