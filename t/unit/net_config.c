/* SPDX-License-Identifier: Apache-2.0
 * From rtnetlink messages to the "network" member of START: what of a
 * container's namespace is carried, skipped, refused. */
#include "supervisor/net_config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/rtnl.h"
#include "supervisor/net_state.h"
#include "t/tap.h"

static char buf[8192];

static struct nlmsghdr *
begin(uint16_t type, const void *header, size_t len)
{
	struct nlmsghdr *nlh;

	memset(buf, 0, sizeof buf);
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	memcpy(mnl_nlmsg_put_extra_header(nlh, len), header, len);
	return nlh;
}

static void
put_ip(struct nlmsghdr *nlh, uint16_t type, const char *text)
{
	uint8_t ip[16];
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;

	inet_pton(family, text, ip);
	mnl_attr_put(nlh, type, family == AF_INET ? 4 : 16, ip);
}

/* ---- links ---- */

static struct nlmsghdr *
link_msg(int index, const char *name, unsigned flags, const char *kind)
{
	struct ifinfomsg ifi = {.ifi_index = index, .ifi_flags = flags};
	struct nlmsghdr *nlh = begin(RTM_NEWLINK, &ifi, sizeof ifi);
	const uint8_t mac[6] = {2, 0x42, 0xac, 0x11, 0, (uint8_t)index};
	struct nlattr *nest;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put(nlh, IFLA_ADDRESS, 6, mac);
	mnl_attr_put_u32(nlh, IFLA_MTU, 1450);
	if (kind != NULL) {
		nest = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
		mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
		mnl_attr_nest_end(nlh, nest);
	}
	return nlh;
}

static void
put_ipv6(struct nlmsghdr *nlh, int32_t disabled)
{
	int32_t conf[DEVCONF_MAX] = {0};
	struct nlattr *spec, *inet6;

	conf[DEVCONF_DISABLE_IPV6] = disabled;
	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put(nlh, IFLA_INET6_CONF, sizeof conf, conf);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
}

static void
test_link_kinds(void)
{
	static const struct {
		const char *kind;
		unsigned flags;
		int carries;
		const char *words;
	} cases[] = {
	    {"veth", IFF_UP, 1, ""},
	    {"veth", 0, 1, ""},
	    {"macvlan", IFF_UP, 1, ""},
	    {NULL, IFF_UP | IFF_LOOPBACK, 0, ""},
	    {"sit", 0, 0, ""},
	    {"sit", IFF_UP, -1,
		"interface net0: sit cannot be moved into a VM (allowed: "
		"veth, macvlan)"},
	    {"ipvlan", IFF_UP, -1,
		"interface net0: ipvlan cannot be moved into a VM "
		"(allowed: veth, macvlan)"},
	    {"dummy", 0, -1,
		"interface net0: dummy cannot be moved into a VM "
		"(allowed: veth, macvlan)"},
	    {NULL, IFF_UP, -1,
		"interface net0: a hardware device cannot be moved into a "
		"VM (allowed: veth, macvlan)"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct net_link link;
		struct err err = {""};
		const char *kind = cases[i].kind;

		is_int(net_link_parse(
			   link_msg(3, "net0", cases[i].flags, kind), &link),
		    0, kind ? kind : "no kind");
		is_int(net_config_carries(&link, &err), cases[i].carries,
		    "carried, left or refused");
		is_str(err.msg, cases[i].words, "and says so");
	}
}

static void
test_links(void)
{
	struct ifinfomsg ifi = {.ifi_index = 3};
	struct net_link link;
	struct nlmsghdr *nlh = link_msg(3, "eth0", IFF_UP, "veth");

	put_ipv6(nlh, 0);
	ok(net_link_parse(nlh, &link) == 0 && link.ipv6, "IPv6 is on");
	nlh = link_msg(3, "eth0", IFF_UP, "veth");
	put_ipv6(nlh, 1);
	ok(net_link_parse(nlh, &link) == 0 && !link.ipv6, "IPv6 is off");
	ok(net_link_parse(link_msg(3, "eth0", IFF_UP, "veth"), &link) == 0 &&
		!link.ipv6,
	    "no IPv6 in the kernel");
	is_int(link.mtu, 1450, "MTU");
	is_int(link.mac[5], 3, "MAC");

	nlh = begin(RTM_NEWLINK, &ifi, sizeof ifi);
	is_int(net_link_parse(nlh, &link), -1, "a link without a name");
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth0");
	is_int(net_link_parse(nlh, &link), 0, "a link with one");
	mnl_attr_put_u8(nlh, IFLA_MTU, 1);
	errno = 0;
	ok(net_link_parse(nlh, &link) == -1 && errno == EBADMSG,
	    "an MTU of one byte");
	nlh = begin(RTM_NEWLINK, &ifi, sizeof ifi);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "a-name-of-16-chr");
	is_int(net_link_parse(nlh, &link), -1, "a name too long");
	nlh->nlmsg_len = MNL_NLMSG_HDRLEN + 4;
	is_int(net_link_parse(nlh, &link), -1, "a cut header");
}

/* ---- addresses ---- */

static void
test_addrs(void)
{
	static const struct {
		const char *name, *local, *address;
		int prefix, scope;
		uint32_t flags;
		bool carried, peer;
	} cases[] = {
	    {"IPv4", "10.0.0.2", "10.0.0.2", 16, RT_SCOPE_UNIVERSE,
		IFA_F_PERMANENT, true, false},
	    {"IPv4, scope link", "169.254.1.1", "169.254.1.1", 16,
		RT_SCOPE_LINK, IFA_F_PERMANENT, false, false},
	    {"IPv4, with a peer", "10.0.0.2", "10.0.0.1", 32, RT_SCOPE_UNIVERSE,
		IFA_F_PERMANENT, true, true},
	    {"IPv6", NULL, "fd00::2", 64, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT,
		true, false},
	    {"IPv6, scope site", NULL, "fec0::2", 64, RT_SCOPE_SITE,
		IFA_F_PERMANENT, true, false},
	    {"IPv6, link-local", NULL, "fe80::2", 64, RT_SCOPE_LINK,
		IFA_F_PERMANENT, false, false},
	    {"IPv6, by a router's advertisement", NULL, "2001:db8::2", 64,
		RT_SCOPE_UNIVERSE, 0, false, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ifaddrmsg ifa = {.ifa_index = 4,
		    .ifa_family = cases[i].local ? AF_INET : AF_INET6,
		    .ifa_prefixlen = (uint8_t)cases[i].prefix,
		    .ifa_scope = (uint8_t)cases[i].scope};
		struct nlmsghdr *nlh = begin(RTM_NEWADDR, &ifa, sizeof ifa);
		struct net_addr a;

		if (cases[i].local != NULL)
			put_ip(nlh, IFA_LOCAL, cases[i].local);
		put_ip(nlh, IFA_ADDRESS, cases[i].address);
		mnl_attr_put_u32(nlh, IFA_FLAGS, cases[i].flags);
		ok(net_addr_parse(nlh, &a) == 0 &&
			a.carried == cases[i].carried &&
			a.has_peer == cases[i].peer && a.index == 4,
		    "address: %s", cases[i].name);
	}
}

static void
test_bad_addrs(void)
{
	struct ifaddrmsg ifa = {.ifa_family = AF_INET, .ifa_prefixlen = 33};
	struct nlmsghdr *nlh = begin(RTM_NEWADDR, &ifa, sizeof ifa);
	struct net_addr a;

	put_ip(nlh, IFA_LOCAL, "10.0.0.1");
	is_int(net_addr_parse(nlh, &a), -1, "address: prefix 33");
	ifa.ifa_prefixlen = 32;
	nlh = begin(RTM_NEWADDR, &ifa, sizeof ifa);
	is_int(net_addr_parse(nlh, &a), -1, "address: none");
	put_ip(nlh, IFA_LOCAL, "fd00::1");
	is_int(net_addr_parse(nlh, &a), -1, "address: of the other family");
}

/* ---- routes ---- */

static struct nlmsghdr *
route_msg(uint8_t family, const char *dst, int prefix, uint8_t type,
    uint8_t protocol, uint8_t table)
{
	struct rtmsg rtm = {.rtm_family = family,
	    .rtm_dst_len = (uint8_t)prefix,
	    .rtm_type = type,
	    .rtm_protocol = protocol,
	    .rtm_table = table};
	struct nlmsghdr *nlh = begin(RTM_NEWROUTE, &rtm, sizeof rtm);

	if (dst != NULL)
		put_ip(nlh, RTA_DST, dst);
	mnl_attr_put_u32(nlh, RTA_OIF, 3);
	return nlh;
}

static void
test_route_kinds(void)
{
	static const struct {
		const char *name, *dst;
		int prefix;
		uint8_t type, protocol, table;
		enum net_route_verdict verdict;
	} cases[] = {
	    {"default", NULL, 0, RTN_UNICAST, RTPROT_BOOT, RT_TABLE_MAIN,
		NET_ROUTE_CARRY},
	    {"IPv6", "fd00::", 64, RTN_UNICAST, RTPROT_STATIC, RT_TABLE_MAIN,
		NET_ROUTE_CARRY},
	    {"connected", "10.0.0.0", 8, RTN_UNICAST, RTPROT_KERNEL,
		RT_TABLE_MAIN, NET_ROUTE_SKIP},
	    {"learnt", "::", 0, RTN_UNICAST, RTPROT_RA, RT_TABLE_MAIN,
		NET_ROUTE_SKIP},
	    {"local", "10.0.0.1", 32, RTN_LOCAL, RTPROT_BOOT, RT_TABLE_LOCAL,
		NET_ROUTE_SKIP},
	    {"multicast", "ff00::", 8, RTN_MULTICAST, RTPROT_BOOT,
		RT_TABLE_MAIN, NET_ROUTE_SKIP},
	    {"of another table", "10.0.0.0", 8, RTN_UNICAST, RTPROT_BOOT, 100,
		NET_ROUTE_SKIP},
	    {"blackhole", "10.0.0.0", 8, RTN_BLACKHOLE, RTPROT_BOOT,
		RT_TABLE_MAIN, NET_ROUTE_SKIP},
	    {"unreachable", "10.0.0.0", 8, RTN_UNREACHABLE, RTPROT_BOOT,
		RT_TABLE_MAIN, NET_ROUTE_SKIP},
	    {"prefix too long", "10.0.0.0", 33, RTN_UNICAST, RTPROT_BOOT,
		RT_TABLE_MAIN, NET_ROUTE_REFUSE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *dst = cases[i].dst;
		uint8_t family = dst != NULL && strchr(dst, ':') != NULL
		    ? AF_INET6
		    : AF_INET;
		struct net_route rt;
		struct err err;

		is_int(net_route_parse(route_msg(family, dst, cases[i].prefix,
					   cases[i].type, cases[i].protocol,
					   cases[i].table),
			   &rt, &err),
		    cases[i].verdict, cases[i].name);
	}
}

static void
test_route_members(void)
{
	struct nlmsghdr *nlh = route_msg(AF_INET, "192.0.2.0", 24, RTN_UNICAST,
	    RTPROT_STATIC, RT_TABLE_MAIN);
	struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct net_route rt;
	struct err err;

	rtm->rtm_flags = RTNH_F_ONLINK;
	put_ip(nlh, RTA_GATEWAY, "10.0.0.1");
	put_ip(nlh, RTA_PREFSRC, "10.0.0.2");
	mnl_attr_put_u32(nlh, RTA_PRIORITY, 4000000000u);
	ok(net_route_parse(nlh, &rt, &err) == NET_ROUTE_CARRY &&
		rt.has_gateway && rt.gateway.bytes[3] == 1 && rt.has_source &&
		rt.source.bytes[3] == 2 && rt.has_metric &&
		rt.metric == 4000000000u && rt.onlink && rt.index == 3,
	    "route: gateway, source, metric, onlink, link");
	mnl_attr_put_u32(nlh, RTA_TABLE, 1000);
	is_int(net_route_parse(nlh, &rt, &err), NET_ROUTE_SKIP,
	    "route: a table above 255");

	nlh = route_msg(AF_INET, "192.0.2.0", 24, RTN_UNICAST, RTPROT_STATIC,
	    RT_TABLE_MAIN);
	mnl_attr_put(nlh, RTA_MULTIPATH, 0, "");
	is_int(net_route_parse(nlh, &rt, &err), NET_ROUTE_REFUSE,
	    "route: multipath");
	is_str(err.msg,
	    "route 192.0.2.0/24: multipath routes are not supported",
	    "route: named");

	nlh = route_msg(
	    AF_INET, "fd00::", 24, RTN_UNICAST, RTPROT_STATIC, RT_TABLE_MAIN);
	is_int(net_route_parse(nlh, &rt, &err), NET_ROUTE_REFUSE,
	    "route: a destination of the other family");
}

/* ---- the document ---- */

static struct net_ip
ip(const char *text)
{
	struct net_ip a = {{0}};

	inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, a.bytes);
	return a;
}

static void
test_document(void)
{
	struct net_link links[] = {
	    {.index = 1, .name = "lo", .kind = NET_LINK_LOOPBACK},
	    {.index = 5,
		.name = "eth0",
		.kind = NET_LINK_VETH,
		.mac = {2, 0x42, 0xac, 0x11, 0, 2},
		.mtu = 1500,
		.ipv6 = true},
	    {.index = 7,
		.name = "eth1",
		.kind = NET_LINK_MACVLAN,
		.mac = {2, 0xff, 0, 0, 0, 1},
		.mtu = 9000},
	};
	struct net_addr addrs[] = {
	    {1, AF_INET, 8, true, false, ip("127.0.0.1"), ip("::")},
	    {5, AF_INET, 16, true, false, ip("172.17.0.2"), ip("::")},
	    {5, AF_INET6, 64, false, false, ip("fe80::2"), ip("::")},
	    {5, AF_INET6, 64, true, false, ip("fd00::2"), ip("::")},
	    {7, AF_INET, 32, true, true, ip("10.1.0.2"), ip("10.1.0.1")},
	};
	struct net_route routes[] = {
	    {.family = AF_INET,
		.protocol = 3,
		.has_gateway = true,
		.gateway = ip("172.17.0.1"),
		.index = 5},
	    {.family = AF_INET,
		.protocol = 4,
		.scope = 253,
		.prefix = 12,
		.destination = ip("10.16.0.0"),
		.has_source = true,
		.source = ip("10.1.0.2"),
		.index = 7},
	    {.family = AF_INET,
		.prefix = 8,
		.index = 1,
		.destination = ip("127.0.0.0")},
	    {.family = AF_INET6,
		.protocol = 3,
		.has_gateway = true,
		.gateway = ip("fd00::1"),
		.has_metric = true,
		.metric = 1024,
		.onlink = true,
		.index = 5},
	};
	struct net_redirect redirects[] = {
	    {IPPROTO_TCP, {htonl(0x0a000005)}, 8080, 80},
	    {IPPROTO_UDP, {htonl(0x0a000005)}, 53, 5353},
	};
	struct net_state s = {
	    links, addrs, routes, 3, 5, 4, true, {redirects, 2}};
	AUTO_JSON struct json_object *o = net_config_json(&s);

	is_str(json_object_to_json_string_ext(
		   o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
	    "{\"ipv6\":{\"all\":true,\"lo\":false},\"interfaces\":["
	    "{\"name\":\"eth0\",\"mac\":\"02:42:ac:11:00:02\",\"mtu\":1500,"
	    "\"ipv6\":true,\"addresses\":["
	    "{\"address\":\"172.17.0.2\",\"prefix\":16},"
	    "{\"address\":\"fd00::2\",\"prefix\":64}]},"
	    "{\"name\":\"eth1\",\"mac\":\"02:ff:00:00:00:01\",\"mtu\":9000,"
	    "\"ipv6\":false,\"addresses\":["
	    "{\"address\":\"10.1.0.2\",\"prefix\":32,\"peer\":\"10.1.0.1\"}]}"
	    "],\"routes\":["
	    "{\"family\":\"inet\",\"destination\":\"10.16.0.0\",\"prefix\":12,"
	    "\"interface\":\"eth1\",\"scope\":253,\"protocol\":4,"
	    "\"onlink\":false,\"source\":\"10.1.0.2\"},"
	    "{\"family\":\"inet\",\"destination\":\"0.0.0.0\",\"prefix\":0,"
	    "\"interface\":\"eth0\",\"scope\":0,\"protocol\":3,"
	    "\"onlink\":false,\"gateway\":\"172.17.0.1\"},"
	    "{\"family\":\"inet6\",\"destination\":\"::\",\"prefix\":0,"
	    "\"interface\":\"eth0\",\"scope\":0,\"protocol\":3,"
	    "\"onlink\":true,\"gateway\":\"fd00::1\",\"metric\":1024}],"
	    "\"redirects\":["
	    "{\"protocol\":\"tcp\",\"address\":\"10.0.0.5\",\"port\":8080,"
	    "\"to\":80},"
	    "{\"protocol\":\"udp\",\"address\":\"10.0.0.5\",\"port\":53,"
	    "\"to\":5353}]}",
	    "the document: order, lo left out, routes without gateway first");
}

int
main(void)
{
	log_init("net-config", 2, LOG_LEVEL_ERROR);
	test_link_kinds();
	test_links();
	test_addrs();
	test_bad_addrs();
	test_route_kinds();
	test_route_members();
	test_document();
	return done_testing();
}
