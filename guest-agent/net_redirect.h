/* SPDX-License-Identifier: Apache-2.0
 * Ports of the guest's own addresses that lead to others, as the engine has
 * them in the container's network namespace ("redirects", doc/vm-spec.md). */
#ifndef GUEST_AGENT_NET_REDIRECT_H
#define GUEST_AGENT_NET_REDIRECT_H

#include "guest-agent/net_plan.h"

/*
 * Makes them with nf_tables, in a table of our own, "runq". An address with
 * redirections is reached at the ports to which they lead, and otherwise by no
 * TCP, UDP or SCTP, in or out: the engine has it so. Nothing without any.
 */
int net_redirect(const struct net_plan *plan, struct err *err);

#endif
