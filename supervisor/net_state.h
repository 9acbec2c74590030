/* SPDX-License-Identifier: Apache-2.0
 * What the engine set up in this network namespace: links, addresses and
 * routes, read over rtnetlink(7) and reduced to what the guest cannot make by
 * itself. */
#ifndef SUPERVISOR_NET_STATE_H
#define SUPERVISOR_NET_STATE_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "supervisor/net_redirect.h"

struct nlmsghdr;
struct rtnl;

enum net_link_kind {
	NET_LINK_VETH,
	NET_LINK_MACVLAN,
	NET_LINK_LOOPBACK,
	NET_LINK_TUNNEL, /* a tunnel driver's own fallback device, unused */
	NET_LINK_OTHER
};

struct net_link {
	int index;
	char name[IFNAMSIZ];
	enum net_link_kind kind;
	char kind_name[32]; /* the kernel's: "ipvlan"; "" for hardware */
	uint8_t mac[6];
	uint32_t mtu;
	unsigned flags;	       /* IFF_* */
	bool ipv6;	       /* IPv6 is on (disable_ipv6 is 0) */
	uint32_t macvlan_mode; /* MACVLAN_MODE_* */
};

/* Big enough for both families; an IPv4 address is in the first four bytes. */
struct net_ip {
	uint8_t bytes[sizeof(struct in6_addr)];
};

struct net_addr {
	int index;	/* of its link */
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t prefix;
	bool carried; /* the guest is to have it */
	bool has_peer;
	struct net_ip ip, peer;
};

struct net_route {
	uint8_t family, prefix, scope, protocol;
	bool has_gateway, has_source, has_metric, onlink;
	struct net_ip destination, gateway, source;
	uint32_t metric;
	int index; /* of the link it leaves by */
};

struct net_state {
	struct net_link *links; /* by ifindex */
	struct net_addr *addrs; /* in the kernel's order */
	struct net_route *routes;
	size_t n_links, n_addrs, n_routes;
	bool ipv6; /* net.ipv6.conf.all.disable_ipv6 is 0 */
	struct net_redirects redirects; /* net_redirects_read(), or none */
};

/* All of it, or the addresses alone; consistent. *s must be freed also after
 * -1. */
int net_state_read(struct rtnl *r, struct net_state *s, struct err *err);
int net_state_read_addrs(struct rtnl *r, struct net_state *s, struct err *err);
void net_state_free(struct net_state *s);

/* By ifindex; NULL: none. */
const struct net_link *net_state_link(const struct net_state *s, int index);

/* One RTM_NEWLINK, RTM_NEWADDR: -1 with errno EBADMSG when malformed. */
int net_link_parse(const struct nlmsghdr *nlh, struct net_link *link);
int net_addr_parse(const struct nlmsghdr *nlh, struct net_addr *addr);

/*
 * One RTM_NEWROUTE. Of another table than main, or made by the kernel itself
 * or by a router's advertisement: skipped, because the guest's kernel makes
 * it, too. Routes that throw packets away are skipped with a warning.
 */
enum net_route_verdict {
	NET_ROUTE_CARRY,
	NET_ROUTE_SKIP,
	NET_ROUTE_REFUSE
};
enum net_route_verdict net_route_parse(
    const struct nlmsghdr *nlh, struct net_route *route, struct err *err);

/* "10.0.0.0/8", for errors; dst of INET6_ADDRSTRLEN + 4 bytes. */
#define NET_PREFIX_STRLEN (INET6_ADDRSTRLEN + 4)
const char *net_prefix_str(char dst[NET_PREFIX_STRLEN], uint8_t family,
    const struct net_ip *ip, uint8_t prefix);

#endif
