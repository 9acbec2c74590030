/* SPDX-License-Identifier: Apache-2.0
 * Catches what Docker's DNS server sends to other servers from the container's
 * network namespace. */
#ifndef SUPERVISOR_DNS_CATCH_H
#define SUPERVISOR_DNS_CATCH_H

#include "lib/dns_front.h"

struct dns_catch {
	struct dns_listener listeners[DNS_LISTENERS_MAX];
	size_t n;
};

/* Docker's DNS server listens in this network namespace. */
bool dns_catch_wanted(void);

/* After net_setup(), with CAP_NET_ADMIN. -1: nothing is open. */
int dns_catch_open(struct dns_catch *c, struct err *err);

#endif
