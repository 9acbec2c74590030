/* SPDX-License-Identifier: Apache-2.0
 * The guest's network as START says.
 *
 * The order matters: names first, as sysctls and routes go by them; IPv6 off
 * before the link is up, or it makes an address; up before addresses, or IPv6
 * has no routes for them; all addresses before the routes, which need the
 * gateways' links. */
#include "guest-agent/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest-agent/net_find.h"
#include "guest-agent/net_plan.h"
#include "guest-agent/net_redirect.h"
#include "lib/cleanup.h"
#include "lib/rtnl.h"

static size_t
ip_len(const struct net_plan_ip *ip)
{
	return ip->family == AF_INET ? 4 : 16;
}

static void
put_ip(struct nlmsghdr *nlh, uint16_t type, const struct net_plan_ip *ip)
{
	mnl_attr_put(nlh, type, ip_len(ip), ip->bytes);
}

static int
rename_if(struct rtnl *r, int index, const char *name, struct err *err)
{
	struct ifinfomsg ifi = {.ifi_index = index};
	struct nlmsghdr *nlh = rtnl_begin(r, RTM_SETLINK, 0, &ifi, sizeof ifi);

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	if (rtnl_commit(r, nlh, err) == -1)
		return err_prefix(err, "rename to %s", name);
	return 0;
}

/* Two interfaces may have to swap their names: those that must change theirs
 * give them up before any takes its new one. */
static int
rename_all(struct rtnl *r, const struct net_plan *plan,
    const struct net_found *found, struct err *err)
{
	char name[IFNAMSIZ];

	for (size_t i = 0; i < plan->n_ifs; i++) {
		if (strcmp(found[i].name, plan->ifs[i].name) == 0)
			continue;
		snprintf(name, sizeof name, "runq%d", found[i].index);
		if (rtnl_set_flags(r, found[i].index, 0, IFF_UP, err) == -1 ||
		    rename_if(r, found[i].index, name, err) == -1)
			return err_prefix(
			    err, "interface %s", plan->ifs[i].name);
	}
	for (size_t i = 0; i < plan->n_ifs; i++) {
		if (strcmp(found[i].name, plan->ifs[i].name) != 0 &&
		    rename_if(r, found[i].index, plan->ifs[i].name, err) == -1)
			return err_prefix(
			    err, "interface %s", plan->ifs[i].name);
	}
	return 0;
}

/* which: "all", "default" or an interface. A kernel without IPv6 has no such
 * file, and IPv6 is as good as off. */
static int
switch_ipv6(const char *which, bool on, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	char path[64];

	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
	    which);
	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) == -1)
		return errno == ENOENT ? 0 : err_sys(err, "open %s", path);
	if (write(fd, on ? "0" : "1", 1) != 1)
		return err_sys(err, "write %s", path);
	return 0;
}

/* "all" reaches the interfaces that are there, "default" those to come. */
static int
switch_all_ipv6(const struct net_plan *plan, struct err *err)
{
	if (!plan->ipv6 &&
	    (switch_ipv6("all", false, err) == -1 ||
		switch_ipv6("default", false, err) == -1))
		return -1;
	if (plan->lo_ipv6 == plan->ipv6)
		return 0;
	return switch_ipv6("lo", plan->lo_ipv6, err);
}

static int
set_mtu(struct rtnl *r, int index, uint32_t mtu, struct err *err)
{
	struct ifinfomsg ifi = {.ifi_index = index};
	struct nlmsghdr *nlh = rtnl_begin(r, RTM_SETLINK, 0, &ifi, sizeof ifi);

	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	if (rtnl_commit(r, nlh, err) == -1)
		return err_prefix(err, "MTU %u", mtu);
	return 0;
}

/* As engines set it: the last address of the network. */
static void
put_broadcast(struct nlmsghdr *nlh, const struct net_plan_addr *addr)
{
	uint32_t ip;

	/* RFC 3021: networks of one or two addresses have none */
	if (addr->ip.family != AF_INET || addr->has_peer || addr->prefix > 30)
		return;
	memcpy(&ip, addr->ip.bytes, sizeof ip);
	ip |= htonl(UINT32_MAX >> addr->prefix);
	mnl_attr_put_u32(nlh, IFA_BROADCAST, ip);
}

static int
add_addr(struct rtnl *r, int index, const struct net_plan_addr *addr,
    struct err *err)
{
	struct ifaddrmsg ifa = {.ifa_family = addr->ip.family,
	    .ifa_prefixlen = addr->prefix,
	    .ifa_index = (unsigned)index};
	char text[INET6_ADDRSTRLEN];
	struct nlmsghdr *nlh;

	/* The engine gave the address to this container alone. */
	if (addr->ip.family == AF_INET6)
		ifa.ifa_flags = IFA_F_NODAD;
	nlh = rtnl_begin(
	    r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &ifa, sizeof ifa);
	put_ip(nlh, IFA_LOCAL, &addr->ip);
	put_ip(nlh, IFA_ADDRESS, addr->has_peer ? &addr->peer : &addr->ip);
	put_broadcast(nlh, addr);
	if (rtnl_commit(r, nlh, err) == 0)
		return 0;
	return err_prefix(err, "address %s/%u",
	    inet_ntop(addr->ip.family, addr->ip.bytes, text, sizeof text),
	    addr->prefix);
}

static int
configure_if(struct rtnl *r, int index, const struct net_plan_if *nif,
    bool ipv6, struct err *err)
{
	if ((nif->ipv6 != ipv6 &&
		switch_ipv6(nif->name, nif->ipv6, err) == -1) ||
	    set_mtu(r, index, nif->mtu, err) == -1 ||
	    rtnl_set_flags(r, index, IFF_UP, IFF_UP, err) == -1)
		return err_prefix(err, "interface %s", nif->name);
	for (size_t i = 0; i < nif->n_addrs; i++)
		if (add_addr(r, index, &nif->addrs[i], err) == -1)
			return err_prefix(err, "interface %s", nif->name);
	return 0;
}

static int
add_route(
    struct rtnl *r, int index, const struct net_plan_route *rt, struct err *err)
{
	struct rtmsg rtm = {.rtm_family = rt->destination.family,
	    .rtm_dst_len = rt->prefix,
	    .rtm_table = RT_TABLE_MAIN,
	    .rtm_protocol = rt->protocol,
	    .rtm_scope = rt->scope,
	    .rtm_type = RTN_UNICAST,
	    .rtm_flags = rt->onlink ? RTNH_F_ONLINK : 0};
	struct nlmsghdr *nlh = rtnl_begin(
	    r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &rtm, sizeof rtm);

	if (rt->prefix > 0)
		put_ip(nlh, RTA_DST, &rt->destination);
	if (rt->has_gateway)
		put_ip(nlh, RTA_GATEWAY, &rt->gateway);
	if (rt->has_source)
		put_ip(nlh, RTA_PREFSRC, &rt->source);
	if (rt->has_metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, rt->metric);
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)index);
	/* EEXIST: the kernel made it with an address. */
	if (rtnl_commit(r, nlh, err) == 0 || errno == EEXIST)
		return 0;
	return -1;
}

static int
add_routes(struct rtnl *r, const struct net_plan *plan,
    const struct net_found *found, struct err *err)
{
	for (size_t i = 0; i < plan->n_routes; i++) {
		const struct net_plan_route *rt = &plan->routes[i];
		char text[INET6_ADDRSTRLEN];

		if (add_route(r, found[rt->interface].index, rt, err) == -1)
			return err_prefix(err, "interface %s: route %s/%u",
			    plan->ifs[rt->interface].name,
			    inet_ntop(rt->destination.family,
				rt->destination.bytes, text, sizeof text),
			    rt->prefix);
	}
	return 0;
}

static int
loopback_up(struct rtnl *r, struct err *err)
{
	unsigned index = if_nametoindex("lo");

	if (index == 0)
		return err_sys(err, "interface lo");
	if (rtnl_set_flags(r, (int)index, IFF_UP, IFF_UP, err) == -1)
		return err_prefix(err, "interface lo: up");
	return 0;
}

static int
apply(struct rtnl *r, const struct net_plan *plan, int deadline_ms,
    struct err *err)
{
	AUTO_FREE struct net_found *found = NULL;

	if ((found = calloc(plan->n_ifs + 1, sizeof *found)) == NULL)
		return err_sys(err, "network");
	if (switch_all_ipv6(plan, err) == -1 || loopback_up(r, err) == -1 ||
	    net_find(r, plan, found, deadline_ms, err) == -1 ||
	    rename_all(r, plan, found, err) == -1)
		return -1;
	for (size_t i = 0; i < plan->n_ifs; i++)
		if (configure_if(r, found[i].index, &plan->ifs[i], plan->ipv6,
			err) == -1)
			return -1;
	if (add_routes(r, plan, found, err) == -1)
		return -1;
	return net_redirect(plan, err);
}

int
net_configure(struct json_object *network, int deadline_ms, struct err *err)
{
	struct net_plan plan = {.ipv6 = true, .lo_ipv6 = true};
	struct rtnl *r = NULL;
	int ret = -1;

	if ((network == NULL || net_plan_parse(network, &plan, err) == 0) &&
	    (r = rtnl_open(0, err)) != NULL)
		ret = apply(r, &plan, deadline_ms, err);
	rtnl_close(r);
	net_plan_free(&plan);
	return ret;
}
