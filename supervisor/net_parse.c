/* SPDX-License-Identifier: Apache-2.0
 * One link or address out of its rtnetlink(7) message. */
#include "supervisor/net_state.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <string.h>

#include "lib/rtnl.h"
#include "supervisor/net_attr.h"

static int
attr_name(const struct nlattr *attr, char *dst, size_t size)
{
	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == -1 ||
	    mnl_attr_get_payload_len(attr) > size)
		return net_attr_malformed();
	memcpy(dst, mnl_attr_get_str(attr), mnl_attr_get_payload_len(attr));
	return 0;
}

/* IFLA_LINKINFO: the kind and, of a macvlan, its mode. */
static int
parse_linkinfo(const struct nlattr *info, struct net_link *link)
{
	const struct nlattr *attr, *data = NULL;

	mnl_attr_for_each_nested (attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND &&
		    attr_name(attr, link->kind_name, sizeof link->kind_name) ==
			-1)
			return -1;
		if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (data == NULL || strcmp(link->kind_name, "macvlan") != 0)
		return 0;
	mnl_attr_for_each_nested (attr, data)
		if (mnl_attr_get_type(attr) == IFLA_MACVLAN_MODE &&
		    net_attr_u32(attr, &link->macvlan_mode) == -1)
			return -1;
	return 0;
}

/* IFLA_AF_SPEC: without a part for IPv6 the kernel has none on this link. */
static void
parse_af_spec(const struct nlattr *spec, struct net_link *link)
{
	const size_t end = (DEVCONF_DISABLE_IPV6 + 1) * sizeof(int32_t);
	const struct nlattr *af, *attr;
	int32_t disabled;

	mnl_attr_for_each_nested (af, spec) {
		if (mnl_attr_get_type(af) != AF_INET6)
			continue;
		mnl_attr_for_each_nested (attr, af) {
			if (mnl_attr_get_type(attr) != IFLA_INET6_CONF ||
			    mnl_attr_get_payload_len(attr) < end)
				continue;
			memcpy(&disabled,
			    (const char *)mnl_attr_get_payload(attr) + end -
				sizeof disabled,
			    sizeof disabled);
			link->ipv6 = disabled == 0;
		}
	}
}

static enum net_link_kind
link_kind(const struct ifinfomsg *ifi, const char *kind)
{
	/* Loading such a driver on the host puts one of its devices into every
	 * new namespace (ip-sysctl, fb_tunnels_only_for_init_net). */
	static const char *const tunnels[] = {"ipip", "sit", "gre", "gretap",
	    "erspan", "ip6tnl", "ip6gre", "ip6gretap", "ip6erspan", "vti",
	    "vti6"};

	if (ifi->ifi_flags & IFF_LOOPBACK)
		return NET_LINK_LOOPBACK;
	if (strcmp(kind, "veth") == 0)
		return NET_LINK_VETH;
	if (strcmp(kind, "macvlan") == 0)
		return NET_LINK_MACVLAN;
	for (size_t i = 0; i < sizeof tunnels / sizeof *tunnels; i++)
		if (strcmp(kind, tunnels[i]) == 0 && !(ifi->ifi_flags & IFF_UP))
			return NET_LINK_TUNNEL;
	return NET_LINK_OTHER;
}

int
net_link_parse(const struct nlmsghdr *nlh, struct net_link *link)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	bool has_mac = false;

	*link = (struct net_link){0};
	if (nlh->nlmsg_len < mnl_nlmsg_size(sizeof *ifi))
		return net_attr_malformed();
	link->index = ifi->ifi_index;
	link->flags = ifi->ifi_flags;
	mnl_attr_for_each (attr, nlh, sizeof *ifi) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			if (attr_name(attr, link->name, sizeof link->name) ==
			    -1)
				return -1;
			break;
		case IFLA_ADDRESS:
			has_mac = mnl_attr_get_payload_len(attr) == 6;
			if (has_mac)
				memcpy(
				    link->mac, mnl_attr_get_payload(attr), 6);
			break;
		case IFLA_MTU:
			if (net_attr_u32(attr, &link->mtu) == -1)
				return -1;
			break;
		case IFLA_LINKINFO:
			if (parse_linkinfo(attr, link) == -1)
				return -1;
			break;
		case IFLA_AF_SPEC:
			parse_af_spec(attr, link);
			break;
		}
	}
	if (link->index <= 0 || link->name[0] == '\0')
		return net_attr_malformed();
	link->kind = link_kind(ifi, link->kind_name);
	if (!has_mac &&
	    (link->kind == NET_LINK_VETH || link->kind == NET_LINK_MACVLAN))
		return net_attr_malformed();
	return 0;
}

int
net_addr_parse(const struct nlmsghdr *nlh, struct net_addr *addr)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	uint32_t flags;
	bool has_local = false, has_address = false;

	*addr = (struct net_addr){0};
	if (nlh->nlmsg_len < mnl_nlmsg_size(sizeof *ifa) ||
	    (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6) ||
	    ifa->ifa_prefixlen > net_ip_len(ifa->ifa_family) * 8)
		return net_attr_malformed();
	addr->index = (int)ifa->ifa_index;
	addr->family = ifa->ifa_family;
	addr->prefix = ifa->ifa_prefixlen;
	flags = ifa->ifa_flags;
	mnl_attr_for_each (attr, nlh, sizeof *ifa) {
		switch (mnl_attr_get_type(attr)) {
		case IFA_LOCAL:
			has_local = true;
			if (net_attr_ip(attr, addr->family, &addr->ip) == -1)
				return -1;
			break;
		case IFA_ADDRESS:
			has_address = true;
			if (net_attr_ip(attr, addr->family, &addr->peer) == -1)
				return -1;
			break;
		case IFA_FLAGS:
			if (net_attr_u32(attr, &flags) == -1)
				return -1;
			break;
		}
	}
	if (!has_local && !has_address)
		return net_attr_malformed();
	/* rtnetlink(7): IFA_ADDRESS is the peer where both are there */
	if (!has_local)
		addr->ip = addr->peer;
	addr->has_peer = has_local && has_address &&
	    memcmp(&addr->ip, &addr->peer, sizeof addr->ip) != 0;
	/* Link-local ones are made by each kernel for itself, others that are
	 * not permanent from a router's advertisements. */
	addr->carried = ifa->ifa_scope < RT_SCOPE_LINK &&
	    (addr->family == AF_INET || (flags & IFA_F_PERMANENT));
	return 0;
}
