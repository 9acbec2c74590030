/* SPDX-License-Identifier: Apache-2.0
 * The guest's network as the "network" member of START says (doc/vm-spec.md):
 * interfaces found by MAC, renamed, MTU, addresses, routes. */
#ifndef GUEST_AGENT_NET_H
#define GUEST_AGENT_NET_H

#include "lib/err.h"

struct json_object;

/*
 * Brings up lo, then each interface of network (NULL: none). An interface
 * that is not there yet is waited for (RTM_NEWLINK, no polling) up to
 * deadline_ms. IPv6 addresses are usable at once (no duplicate address
 * detection). 0, or -1 with the interface and the reason.
 */
int
net_configure(struct json_object *network, int deadline_ms, struct err *err);

#endif
