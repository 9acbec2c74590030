/* SPDX-License-Identifier: Apache-2.0
 * The "network" member of START, checked and typed. */
#include "guest-agent/net_plan.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

#define IFS_MAX 64
#define ADDRS_MAX 1024
#define ROUTES_MAX 4096
#define MTU_MIN 68 /* RFC 791 */
#define MTU_MAX 65535
#define WHERE_MAX 96

/* What the kernel allows (dev_valid_name in net/core/dev.c), without those
 * that mean something else in rtnetlink or below /proc/sys/net. */
static bool
valid_name(const char *s)
{
	static const char *const taken[] = {".", "..", "lo", "all", "default"};
	size_t len = strlen(s);

	if (len == 0 || len >= IFNAMSIZ)
		return false;
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (strcmp(s, taken[i]) == 0)
			return false;
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)s[i]) || s[i] == '/' ||
		    s[i] == ':' || s[i] == '%')
			return false;
	return true;
}

static int
hex(char c)
{
	const char digits[] = "0123456789abcdef";
	const char *p =
	    c == '\0' ? NULL : strchr(digits, tolower((unsigned char)c));

	return p == NULL ? -1 : (int)(p - digits);
}

/* Exactly six pairs of hex digits, of one station. */
static bool
parse_mac(const char *s, uint8_t mac[6])
{
	const uint8_t none[6] = {0};

	if (strlen(s) != 17)
		return false;
	for (size_t i = 0; i < 6; i++, s += 3) {
		int hi = hex(s[0]), lo = hex(s[1]);

		if (hi == -1 || lo == -1 || s[2] != (i == 5 ? '\0' : ':'))
			return false;
		mac[i] = (uint8_t)(hi << 4 | lo);
	}
	return !(mac[0] & 1) && memcmp(mac, none, 6) != 0;
}

/* An address in member key; with family 0 of any, else of that family.
 * 1 read, 0 absent, -1 error. */
static int
parse_ip(struct json_object *o, const char *where, const char *key,
    uint8_t family, struct net_plan_ip *ip, struct err *err)
{
	const char *s = NULL;

	if (json_opt_str(o, where, key, &s, err) == -1)
		return -1;
	if (s == NULL)
		return 0;
	*ip = (struct net_plan_ip){.family = family};
	if (family == 0)
		ip->family = strchr(s, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(ip->family, s, ip->bytes) == 1)
		return 1;
	return err_set(err, "%s.%s: \"%.64s\" is not an %s address", where, key,
	    s, ip->family == AF_INET ? "IPv4" : "IPv6");
}

static int
parse_prefix(struct json_object *o, const char *where, uint8_t family,
    uint8_t *prefix, struct err *err)
{
	int64_t v;

	if (json_need_int(o, where, "prefix", 0, family == AF_INET ? 32 : 128,
		&v, err) == -1)
		return -1;
	*prefix = (uint8_t)v;
	return 0;
}

static int
parse_addr(struct json_object *o, const char *where, struct net_plan_addr *addr,
    struct err *err)
{
	int r = parse_ip(o, where, "address", 0, &addr->ip, err);

	if (r == 0)
		return err_set(err, "%s.address: missing", where);
	if (r == -1 ||
	    parse_prefix(o, where, addr->ip.family, &addr->prefix, err) == -1)
		return -1;
	r = parse_ip(o, where, "peer", addr->ip.family, &addr->peer, err);
	addr->has_peer = r == 1;
	return r == -1 ? -1 : 0;
}

/* An array's length and as many zeroed elements; an absent one has none. */
static int
alloc_elements(struct json_object *o, const char *where, const char *key,
    size_t max, size_t size, struct json_object **array, void **elements,
    size_t *n, struct err *err)
{
	*array = NULL;
	*n = 0;
	if (json_opt_arr(o, where, key, array, err) == -1)
		return -1;
	if (*array == NULL)
		return 0;
	*n = json_object_array_length(*array);
	if (*n > max) {
		err_set(err, "%s.%s: %zu (allowed: up to %zu)", where, key, *n,
		    max);
		*n = 0;
		return -1;
	}
	if ((*elements = calloc(*n + 1, size)) == NULL) {
		*n = 0;
		return err_sys(err, "%s.%s", where, key);
	}
	return 0;
}

static int
parse_addrs(struct json_object *o, const char *where, struct net_plan_if *nif,
    struct err *err)
{
	struct json_object *array;
	char at[WHERE_MAX + 32];
	size_t n;

	if (alloc_elements(o, where, "addresses", ADDRS_MAX, sizeof *nif->addrs,
		&array, (void **)&nif->addrs, &n, err) == -1)
		return -1;
	nif->n_addrs = n;
	for (size_t i = 0; i < n; i++) {
		snprintf(at, sizeof at, "%s.addresses[%zu]", where, i);
		if (parse_addr(json_object_array_get_idx(array, i), at,
			&nif->addrs[i], err) == -1)
			return -1;
	}
	return 0;
}

static int
parse_if(struct json_object *o, const char *where, struct net_plan_if *nif,
    struct err *err)
{
	const char *name, *mac;
	int64_t mtu;

	nif->ipv6 = true;
	if (json_need_str(o, where, "name", &name, err) == -1 ||
	    json_need_str(o, where, "mac", &mac, err) == -1 ||
	    json_need_int(o, where, "mtu", MTU_MIN, MTU_MAX, &mtu, err) == -1 ||
	    json_opt_bool(o, where, "ipv6", &nif->ipv6, err) == -1)
		return -1;
	if (!valid_name(name))
		return err_set(err,
		    "%s.name: \"%.64s\" cannot be the name of an interface",
		    where, name);
	if (!parse_mac(mac, nif->mac))
		return err_set(err,
		    "%s.mac: \"%.64s\" is not the MAC address of an interface",
		    where, mac);
	memcpy(nif->name, name, strlen(name) + 1);
	nif->mtu = (uint32_t)mtu;
	return parse_addrs(o, where, nif, err);
}

static int
check_distinct(const struct net_plan *plan, size_t n, struct err *err)
{
	const struct net_plan_if *b = &plan->ifs[n];

	for (const struct net_plan_if *a = plan->ifs; a < b; a++) {
		if (strcmp(a->name, b->name) == 0)
			return err_set(err,
			    "network: two interfaces with the name %s",
			    a->name);
		if (memcmp(a->mac, b->mac, sizeof a->mac) == 0)
			return err_set(err,
			    "network: interfaces %s and %s have the same MAC "
			    "address",
			    a->name, b->name);
	}
	return 0;
}

static int
parse_route_if(struct json_object *o, const char *where,
    const struct net_plan *plan, size_t *interface, struct err *err)
{
	const char *name;

	if (json_need_str(o, where, "interface", &name, err) == -1)
		return -1;
	for (size_t i = 0; i < plan->n_ifs; i++) {
		if (strcmp(plan->ifs[i].name, name) == 0) {
			*interface = i;
			return 0;
		}
	}
	return err_set(err, "%s.interface: \"%.64s\" is none of the interfaces",
	    where, name);
}

static int
parse_family(
    struct json_object *o, const char *where, uint8_t *family, struct err *err)
{
	const char *s;

	if (json_need_str(o, where, "family", &s, err) == -1)
		return -1;
	if (strcmp(s, "inet") != 0 && strcmp(s, "inet6") != 0)
		return err_set(err,
		    "%s.family: \"%.64s\" (allowed: inet, inet6)", where, s);
	*family = strcmp(s, "inet") == 0 ? AF_INET : AF_INET6;
	return 0;
}

static int
parse_route(struct json_object *o, const char *where,
    const struct net_plan *plan, struct net_plan_route *rt, struct err *err)
{
	int64_t scope = 0, protocol = 0, metric = -1;
	int dst, gw, src;
	uint8_t family = 0;

	if (parse_family(o, where, &family, err) == -1 ||
	    parse_prefix(o, where, family, &rt->prefix, err) == -1 ||
	    parse_route_if(o, where, plan, &rt->interface, err) == -1 ||
	    json_opt_int(o, where, "scope", 0, 255, &scope, err) == -1 ||
	    json_opt_int(o, where, "protocol", 0, 255, &protocol, err) == -1 ||
	    json_opt_int(o, where, "metric", 0, UINT32_MAX, &metric, err) ==
		-1 ||
	    json_opt_bool(o, where, "onlink", &rt->onlink, err) == -1)
		return -1;
	dst = parse_ip(o, where, "destination", family, &rt->destination, err);
	if (dst == -1 ||
	    (gw = parse_ip(o, where, "gateway", family, &rt->gateway, err)) ==
		-1 ||
	    (src = parse_ip(o, where, "source", family, &rt->source, err)) ==
		-1)
		return -1;
	if (dst == 0)
		return err_set(err, "%s.destination: missing", where);
	rt->has_gateway = gw == 1;
	rt->has_source = src == 1;
	rt->has_metric = metric != -1;
	rt->metric = rt->has_metric ? (uint32_t)metric : 0;
	rt->scope = (uint8_t)scope;
	rt->protocol = (uint8_t)protocol;
	return 0;
}

static int
parse_routes(struct json_object *o, struct net_plan *plan, struct err *err)
{
	struct json_object *array;
	char where[WHERE_MAX];

	if (alloc_elements(o, "network", "routes", ROUTES_MAX,
		sizeof *plan->routes, &array, (void **)&plan->routes,
		&plan->n_routes, err) == -1)
		return -1;
	for (size_t i = 0; i < plan->n_routes; i++) {
		snprintf(where, sizeof where, "network.routes[%zu]", i);
		if (parse_route(json_object_array_get_idx(array, i), where,
			plan, &plan->routes[i], err) == -1)
			return -1;
	}
	return 0;
}

static int
parse_protocol(struct json_object *o, const char *where, uint8_t *protocol,
    struct err *err)
{
	static const struct {
		const char *name;
		uint8_t number;
	} all[] = {
	    {"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}};
	const char *s;

	if (json_need_str(o, where, "protocol", &s, err) == -1)
		return -1;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (strcmp(all[i].name, s) == 0) {
			*protocol = all[i].number;
			return 0;
		}
	}
	return err_set(
	    err, "%s.protocol: \"%.64s\" (allowed: tcp, udp, sctp)", where, s);
}

static int
parse_redirect(struct json_object *o, const char *where,
    struct net_plan_redirect *r, struct err *err)
{
	int64_t port, to;
	int address;

	if (parse_protocol(o, where, &r->protocol, err) == -1 ||
	    json_need_int(o, where, "port", 1, 65535, &port, err) == -1 ||
	    json_need_int(o, where, "to", 1, 65535, &to, err) == -1)
		return -1;
	address = parse_ip(o, where, "address", AF_INET, &r->address, err);
	if (address == 0)
		return err_set(err, "%s.address: missing", where);
	r->port = (uint16_t)port;
	r->to = (uint16_t)to;
	return address == -1 ? -1 : 0;
}

static int
parse_redirects(struct json_object *o, struct net_plan *plan, struct err *err)
{
	struct json_object *array;
	char where[WHERE_MAX];

	if (alloc_elements(o, "network", "redirects", NET_PLAN_REDIRECTS_MAX,
		sizeof *plan->redirects, &array, (void **)&plan->redirects,
		&plan->n_redirects, err) == -1)
		return -1;
	for (size_t i = 0; i < plan->n_redirects; i++) {
		snprintf(where, sizeof where, "network.redirects[%zu]", i);
		if (parse_redirect(json_object_array_get_idx(array, i), where,
			&plan->redirects[i], err) == -1)
			return -1;
	}
	return 0;
}

static int
parse_ipv6(struct json_object *o, struct net_plan *plan, struct err *err)
{
	struct json_object *ipv6 = NULL;

	if (json_opt_obj(o, "network", "ipv6", &ipv6, err) == -1)
		return -1;
	if (ipv6 == NULL)
		return 0;
	if (json_opt_bool(ipv6, "network.ipv6", "all", &plan->ipv6, err) == -1)
		return -1;
	plan->lo_ipv6 = plan->ipv6;
	return json_opt_bool(ipv6, "network.ipv6", "lo", &plan->lo_ipv6, err);
}

int
net_plan_parse(
    struct json_object *network, struct net_plan *plan, struct err *err)
{
	struct json_object *array;
	char where[WHERE_MAX];

	*plan = (struct net_plan){.ipv6 = true, .lo_ipv6 = true};
	if (parse_ipv6(network, plan, err) == -1 ||
	    alloc_elements(network, "network", "interfaces", IFS_MAX,
		sizeof *plan->ifs, &array, (void **)&plan->ifs, &plan->n_ifs,
		err) == -1)
		return -1;
	for (size_t i = 0; i < plan->n_ifs; i++) {
		snprintf(where, sizeof where, "network.interfaces[%zu]", i);
		if (parse_if(json_object_array_get_idx(array, i), where,
			&plan->ifs[i], err) == -1 ||
		    check_distinct(plan, i, err) == -1)
			return -1;
	}
	if (parse_routes(network, plan, err) == -1)
		return -1;
	return parse_redirects(network, plan, err);
}

void
net_plan_free(struct net_plan *plan)
{
	for (size_t i = 0; i < plan->n_ifs; i++)
		free(plan->ifs[i].addrs);
	free(plan->ifs);
	free(plan->routes);
	free(plan->redirects);
	*plan = (struct net_plan){0};
}
