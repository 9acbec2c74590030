/* SPDX-License-Identifier: Apache-2.0
 * The guest's interfaces by MAC address, waited for where they are not there
 * yet. */
#ifndef GUEST_AGENT_NET_FIND_H
#define GUEST_AGENT_NET_FIND_H

#include "guest-agent/net_plan.h"

struct rtnl;

/* Where an interface of the plan is, in the plan's order. */
struct net_found {
	int index; /* 0: not there */
	char name[IFNAMSIZ];
};

/* Finds all of them, up to deadline_ms from now. -1 names the first one that
 * did not appear. */
int net_find(struct rtnl *r, const struct net_plan *plan,
    struct net_found *found, int deadline_ms, struct err *err);

#endif
