/* SPDX-License-Identifier: Apache-2.0
 * One route out of its rtnetlink(7) message, and whether the guest is to have
 * it. */
#include "supervisor/net_state.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "lib/log.h"
#include "lib/rtnl.h"
#include "supervisor/net_attr.h"

/* What a route says beside what is carried. */
struct extra {
	uint32_t table;
	const char *unsupported; /* NULL, or what it has that START has not */
};

const char *
net_prefix_str(char dst[NET_PREFIX_STRLEN], uint8_t family,
    const struct net_ip *ip, uint8_t prefix)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family, ip->bytes, text, sizeof text);
	snprintf(dst, NET_PREFIX_STRLEN, "%s/%u", text, prefix);
	return dst;
}

static enum net_route_verdict
refuse(const struct net_route *rt, const char *what, struct err *err)
{
	char text[NET_PREFIX_STRLEN];

	net_prefix_str(text, rt->family, &rt->destination, rt->prefix);
	err_set(err, "route %s: %s routes are not supported", text, what);
	return NET_ROUTE_REFUSE;
}

/* A route that throws packets away costs nothing when it is missing. */
static enum net_route_verdict
skip_loudly(const struct net_route *rt, uint8_t type)
{
	static const char *const names[] = {[RTN_BLACKHOLE] = "blackhole",
	    [RTN_UNREACHABLE] = "unreachable",
	    [RTN_PROHIBIT] = "prohibit",
	    [RTN_THROW] = "throw",
	    [RTN_NAT] = "nat"};
	const char *name =
	    type < sizeof names / sizeof *names ? names[type] : NULL;
	char text[NET_PREFIX_STRLEN];

	net_prefix_str(text, rt->family, &rt->destination, rt->prefix);
	log_warn("route %s: of type %s, which is not carried into the VM", text,
	    name != NULL ? name : "unknown");
	return NET_ROUTE_SKIP;
}

/* Made by the kernel, or learnt from routers: the guest's does so as well. */
static bool
is_automatic(const struct rtmsg *rtm)
{
	return rtm->rtm_protocol == RTPROT_KERNEL ||
	    rtm->rtm_protocol == RTPROT_RA ||
	    rtm->rtm_protocol == RTPROT_REDIRECT ||
	    (rtm->rtm_flags & RTM_F_CLONED) || rtm->rtm_type == RTN_MULTICAST ||
	    rtm->rtm_type == RTN_LOCAL || rtm->rtm_type == RTN_BROADCAST ||
	    rtm->rtm_type == RTN_ANYCAST;
}

static int
parse_attr(const struct nlattr *attr, struct net_route *rt, struct extra *ex)
{
	uint32_t index;

	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		return net_attr_ip(attr, rt->family, &rt->destination);
	case RTA_GATEWAY:
		rt->has_gateway = true;
		return net_attr_ip(attr, rt->family, &rt->gateway);
	case RTA_PREFSRC:
		rt->has_source = true;
		return net_attr_ip(attr, rt->family, &rt->source);
	case RTA_PRIORITY:
		rt->has_metric = true;
		return net_attr_u32(attr, &rt->metric);
	case RTA_OIF:
		if (net_attr_u32(attr, &index) == -1)
			return -1;
		rt->index = (int)index;
		return 0;
	case RTA_TABLE:
		return net_attr_u32(attr, &ex->table);
	case RTA_MULTIPATH:
		ex->unsupported = "multipath";
		return 0;
	case RTA_VIA:
		ex->unsupported = "IPv4 over IPv6";
		return 0;
	case RTA_ENCAP:
		ex->unsupported = "encapsulating";
		return 0;
	default:
		return 0;
	}
}

static int
parse(const struct nlmsghdr *nlh, struct net_route *rt, struct extra *ex)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	if (nlh->nlmsg_len < mnl_nlmsg_size(sizeof *rtm) ||
	    (rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) ||
	    rtm->rtm_dst_len > net_ip_len(rtm->rtm_family) * 8)
		return -1;
	*rt = (struct net_route){.family = rtm->rtm_family,
	    .prefix = rtm->rtm_dst_len,
	    .scope = rtm->rtm_scope,
	    .protocol = rtm->rtm_protocol,
	    .onlink = (rtm->rtm_flags & RTNH_F_ONLINK) != 0};
	ex->table = rtm->rtm_table;
	if (rtm->rtm_tos != 0)
		ex->unsupported = "TOS";
	if (rtm->rtm_src_len != 0)
		ex->unsupported = "source-specific";
	mnl_attr_for_each (attr, nlh, sizeof *rtm)
		if (parse_attr(attr, rt, ex) == -1)
			return -1;
	return 0;
}

enum net_route_verdict
net_route_parse(
    const struct nlmsghdr *nlh, struct net_route *route, struct err *err)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct extra ex = {.unsupported = NULL};

	if (parse(nlh, route, &ex) == -1) {
		err_set(err, "rtnetlink: malformed route");
		return NET_ROUTE_REFUSE;
	}
	if (ex.table != RT_TABLE_MAIN || is_automatic(rtm))
		return NET_ROUTE_SKIP;
	if (rtm->rtm_type != RTN_UNICAST)
		return skip_loudly(route, rtm->rtm_type);
	if (ex.unsupported != NULL)
		return refuse(route, ex.unsupported, err);
	return NET_ROUTE_CARRY;
}
