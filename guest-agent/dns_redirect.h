/* SPDX-License-Identifier: Apache-2.0
 * Port 53 of Docker's DNS server, for the processes of a control group. */
#ifndef GUEST_AGENT_DNS_REDIRECT_H
#define GUEST_AGENT_DNS_REDIRECT_H

#include <stdint.h>

#include "lib/err.h"

/*
 * From now on what the processes of the group (and of groups below it) send to
 * 127.0.0.11 port 53 arrives at that address's other port, and its answers
 * look as if they came from port 53. cgroup: its directory.
 */
int dns_redirect(int cgroup, uint16_t port, struct err *err);

#endif
