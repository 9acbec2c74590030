/* SPDX-License-Identifier: Apache-2.0
 * The "network" member of START (doc/vm-spec.md), checked and typed. */
#ifndef GUEST_AGENT_NET_PLAN_H
#define GUEST_AGENT_NET_PLAN_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct json_object;

/* An IPv4 address is in the first four bytes. */
struct net_plan_ip {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t bytes[sizeof(struct in6_addr)];
};

struct net_plan_addr {
	struct net_plan_ip ip, peer;
	uint8_t prefix;
	bool has_peer;
};

struct net_plan_if {
	char name[IFNAMSIZ]; /* the one to give it */
	uint8_t mac[6];	     /* by which it is found */
	uint32_t mtu;
	bool ipv6;
	struct net_plan_addr *addrs;
	size_t n_addrs;
};

struct net_plan_route {
	struct net_plan_ip destination, gateway, source;
	uint8_t prefix, scope, protocol;
	bool has_gateway, has_source, has_metric, onlink;
	uint32_t metric;
	size_t interface; /* index into ifs */
};

#define NET_PLAN_REDIRECTS_MAX 256

/* Of IPv4; ports in host order. */
struct net_plan_redirect {
	uint8_t protocol; /* IPPROTO_TCP, _UDP, _SCTP */
	struct net_plan_ip address;
	uint16_t port, to;
};

struct net_plan {
	bool ipv6; /* of all that does not say otherwise */
	bool lo_ipv6;
	struct net_plan_if *ifs;
	struct net_plan_route *routes; /* in the order to add them */
	struct net_plan_redirect *redirects;
	size_t n_ifs, n_routes, n_redirects;
};

/* Strict: types, ranges, names, families. *plan must be freed also after -1.
 */
int net_plan_parse(
    struct json_object *network, struct net_plan *plan, struct err *err);
void net_plan_free(struct net_plan *plan);

#endif
