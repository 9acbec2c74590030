/* SPDX-License-Identifier: Apache-2.0
 * The agent's reading of the "network" member of START: what it takes, and
 * what it refuses in which words. */
#include "guest-agent/net_plan.h"

#include <arpa/inet.h>

#include "lib/json.h"
#include "t/tap.h"

#define IF(name, mac, rest)                                                    \
	"{\"name\":\"" name "\",\"mac\":\"" mac "\",\"mtu\":1500" rest "}"
#define ETH0(rest) IF("eth0", "02:42:ac:11:00:02", rest)
#define NET(ifs, routes) "{\"interfaces\":[" ifs "],\"routes\":[" routes "]}"
#define ADDRS(list) ",\"addresses\":[" list "]"
#define ROUTE(rest)                                                            \
	"{\"family\":\"inet\",\"destination\":\"10.0.0.0\",\"prefix\":8,"      \
	"\"interface\":\"eth0\"" rest "}"

static int
parse(const char *text, struct net_plan *plan, struct err *err)
{
	AUTO_JSON struct json_object *o =
	    json_parse(text, strlen(text), "network", err);

	*plan = (struct net_plan){0};
	return o == NULL ? -1 : net_plan_parse(o, plan, err);
}

static void
test_whole(void)
{
	static const char text[] =
	    "{\"ipv6\":{\"all\":false,\"lo\":true},\"interfaces\":[" IF("eth0",
		"02:42:AC:11:00:02",
		",\"ipv6\":true" ADDRS(
		    "{\"address\":\"172.17.0.2\",\"prefix\":16},"
		    "{\"address\":\"fd00::2\",\"prefix\":64},"
		    "{\"address\":\"10.1.0.2\",\"prefix\":32,"
		    "\"peer\":\"10.1.0.1\"}")) "," IF("eth1",
		"02:42:ac:11:00:03",
		"") "],\"routes\":["
		    "{\"family\":\"inet\",\"destination\":\"0.0.0.0\","
		    "\"prefix\":0,"
		    "\"gateway\":\"172.17.0.1\",\"interface\":\"eth0\","
		    "\"metric\":"
		    "0,"
		    "\"scope\":0,\"protocol\":3,\"source\":\"172.17.0.2\","
		    "\"onlink\":true},"
		    "{\"family\":\"inet6\",\"destination\":\"fd01::\","
		    "\"prefix\":"
		    "64,"
		    "\"interface\":\"eth1\"}]}";
	struct net_plan p;
	struct err err = {""};
	const struct net_plan_route *rt;

	if (!ok(parse(text, &p, &err) == 0, "a whole document")) {
		printf("# %s\n", err.msg);
		return;
	}
	ok(!p.ipv6 && p.lo_ipv6 && p.n_ifs == 2 && p.n_routes == 2, "counts");
	is_str(p.ifs[1].name, "eth1", "name");
	is_int(p.ifs[0].mac[2], 0xac, "MAC, in capitals");
	ok(p.ifs[0].ipv6 && p.ifs[1].ipv6, "IPv6: given, and by default");
	is_int(p.ifs[0].n_addrs, 3, "addresses");
	ok(p.ifs[0].addrs[1].ip.family == AF_INET6 &&
		p.ifs[0].addrs[1].ip.bytes[15] == 2,
	    "an IPv6 address");
	ok(p.ifs[0].addrs[2].has_peer && p.ifs[0].addrs[2].peer.bytes[3] == 1,
	    "a peer");
	rt = &p.routes[0];
	ok(rt->has_gateway && rt->gateway.bytes[3] == 1 && rt->has_source &&
		rt->has_metric && rt->metric == 0 && rt->onlink &&
		rt->protocol == 3 && rt->interface == 0,
	    "a route");
	rt = &p.routes[1];
	ok(!rt->has_gateway && !rt->has_source && !rt->has_metric &&
		!rt->onlink && rt->interface == 1,
	    "a shorter one");
	net_plan_free(&p);
	ok(parse("{}", &p, &err) == 0 && p.n_ifs == 0 && p.ipv6,
	    "an empty document");
	net_plan_free(&p);
}

#define REDIRECTS(list) "{\"redirects\":[" list "]}"
#define REDIRECT(port, to, address)                                            \
	"{\"protocol\":\"tcp\",\"port\":" port ",\"to\":" to                   \
	",\"address\":\"" address "\"}"

static void
test_redirects(void)
{
	struct net_plan p;
	struct err err = {""};
	const struct net_plan_redirect *r;

	ok(parse(REDIRECTS(REDIRECT("8080", "80", "10.0.0.2")), &p, &err) ==
		    0 &&
		p.n_redirects == 1,
	    "a redirection");
	r = &p.redirects[0];
	ok(p.n_redirects == 1 && r->protocol == IPPROTO_TCP &&
		r->port == 8080 && r->to == 80 && r->address.bytes[0] == 10 &&
		r->address.bytes[3] == 2,
	    "its members");
	net_plan_free(&p);
}

static void
test_refused(void)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
	    {"[]", "not an object"},
	    {"{\"interfaces\":{}}", "network.interfaces: object"},
	    {"{\"ipv6\":true}", "network.ipv6: boolean"},
	    {"{\"ipv6\":{\"all\":1}}", "network.ipv6.all: int"},
	    {NET("7", ""), "network.interfaces[0]: not an object"},
	    {NET("null", ""), "network.interfaces[0]: not an object"},
	    {NET("{}", ""), "network.interfaces[0].name: missing"},
	    {NET("{\"name\":\"eth0\"}", ""), "mac: missing"},
	    {NET("{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\"}", ""),
		"mtu: missing"},
	    {NET("{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\","
		 "\"mtu\":67}",
		 ""),
		"mtu: 67 (allowed: 68 to 65535)"},
	    {NET(IF("", "02:00:00:00:00:01", ""), ""), "name: \"\""},
	    {NET(IF("a/b", "02:00:00:00:00:01", ""), ""), "\"a/b\""},
	    {NET(IF("..", "02:00:00:00:00:01", ""), ""), "\"..\""},
	    {NET(IF("lo", "02:00:00:00:00:01", ""), ""), "\"lo\""},
	    {NET(IF("all", "02:00:00:00:00:01", ""), ""), "\"all\""},
	    {NET(IF("a b", "02:00:00:00:00:01", ""), ""), "\"a b\""},
	    {NET(IF("eth%d", "02:00:00:00:00:01", ""), ""), "\"eth%d\""},
	    {NET(IF("sixteen-letters-", "02:00:00:00:00:01", ""), ""),
		"sixteen-letters-"},
	    {NET(IF("e", "02:00:00:00:00", ""), ""), "mac: \"02:"},
	    {NET(IF("e", "02:00:00:00:00:01:", ""), ""), "mac: \"02:"},
	    {NET(IF("e", "02-00-00-00-00-01", ""), ""), "mac: \"02-"},
	    {NET(IF("e", "02:00:00:00:00:0g", ""), ""), "mac: \"02:"},
	    {NET(IF("e", "01:00:5e:00:00:01", ""), ""), "mac: \"01:"},
	    {NET(IF("e", "00:00:00:00:00:00", ""), ""), "mac: \"00:"},
	    {NET(ETH0("") "," IF("eth0", "02:00:00:00:00:01", ""), ""),
		"two interfaces with the name eth0"},
	    {NET(ETH0("") "," IF("eth1", "02:42:ac:11:00:02", ""), ""),
		"interfaces eth0 and eth1 have the same MAC address"},
	    {NET(ETH0(",\"addresses\":7"), ""), "addresses: int"},
	    {NET(ETH0(ADDRS("7")), ""), "addresses[0]: not an object"},
	    {NET(ETH0(ADDRS("{\"prefix\":1}")), ""), "address: missing"},
	    {NET(ETH0(ADDRS("{\"address\":\"1.2.3\",\"prefix\":8}")), ""),
		"\"1.2.3\" is not an IPv4 address"},
	    {NET(ETH0(ADDRS("{\"address\":\"::g\",\"prefix\":8}")), ""),
		"\"::g\" is not an IPv6 address"},
	    {NET(ETH0(ADDRS("{\"address\":\"1.2.3.4\",\"prefix\":33}")), ""),
		"prefix: 33 (allowed: 0 to 32)"},
	    {NET(ETH0(ADDRS("{\"address\":\"::1\",\"prefix\":129}")), ""),
		"prefix: 129 (allowed: 0 to 128)"},
	    {NET(ETH0(ADDRS("{\"address\":\"::1\",\"prefix\":8,"
			    "\"peer\":\"1.2.3.4\"}")),
		 ""),
		"peer: \"1.2.3.4\" is not an IPv6 address"},
	    {REDIRECTS("7"), "network.redirects[0]: not an object"},
	    {REDIRECTS("{}"), "network.redirects[0].protocol: missing"},
	    {REDIRECTS("{\"protocol\":\"icmp\"}"),
		"\"icmp\" (allowed: tcp, udp, sctp)"},
	    {REDIRECTS(REDIRECT("0", "80", "10.0.0.2")), "port: 0 (allowed"},
	    {REDIRECTS(REDIRECT("80", "65536", "10.0.0.2")), "to: 65536"},
	    {REDIRECTS(REDIRECT("80", "81", "fd00::1")),
		"address: \"fd00::1\" is not an IPv4 address"},
	    {REDIRECTS("{\"protocol\":\"udp\",\"port\":1,\"to\":2}"),
		"network.redirects[0].address: missing"},
	    {NET("", "7"), "network.routes[0]: not an object"},
	    {NET("", "{}"), "network.routes[0].family: missing"},
	    {NET("", "{\"family\":\"ipx\"}"), "\"ipx\" (allowed: inet, inet6)"},
	    {NET("", ROUTE("")), "\"eth0\" is none of the interfaces"},
	    {NET(ETH0(""), ROUTE(",\"gateway\":\"fd00::1\"")),
		"gateway: \"fd00::1\" is not an IPv4 address"},
	    {NET(ETH0(""), ROUTE(",\"source\":\"x\"")), "source: \"x\""},
	    {NET(ETH0(""), ROUTE(",\"scope\":256")), "scope: 256"},
	    {NET(ETH0(""), ROUTE(",\"protocol\":-1")), "protocol: -1"},
	    {NET(ETH0(""), ROUTE(",\"metric\":4294967296")),
		"metric: 4294967296"},
	    {NET(ETH0(""), ROUTE(",\"onlink\":\"yes\"")), "onlink: string"},
	    {NET(ETH0(""),
		 "{\"family\":\"inet\",\"prefix\":8,"
		 "\"interface\":\"eth0\"}"),
		"destination: missing"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct net_plan p;
		struct err err = {""};
		int r = parse(cases[i].text, &p, &err);

		if (!ok(r == -1 && strstr(err.msg, cases[i].words) != NULL,
			"refused: %s", cases[i].words))
			printf("# %s\n", r == -1 ? err.msg : "taken");
		net_plan_free(&p);
	}
}

/* Limits on counts: one more than allowed of each. */
static void
test_counts(void)
{
	AUTO_JSON struct json_object *o = json_object_new_object();
	struct json_object *a = json_object_new_array();
	struct net_plan p;
	struct err err = {""};

	for (int i = 0; i < 65; i++)
		json_object_array_add(a, json_object_new_object());
	json_object_object_add(o, "interfaces", a);
	ok(net_plan_parse(o, &p, &err) == -1 &&
		strcmp(err.msg, "network.interfaces: 65 (allowed: up to 64)") ==
		    0,
	    "%s", err.msg);
	net_plan_free(&p);
}

int
main(void)
{
	test_whole();
	test_redirects();
	test_refused();
	test_counts();
	return done_testing();
}
