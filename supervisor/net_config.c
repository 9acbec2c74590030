/* SPDX-License-Identifier: Apache-2.0
 * The "network" member of START, out of what the namespace has. */
#include "supervisor/net_config.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <linux/if_link.h>
#include <stdio.h>

#include "lib/json.h"

int
net_config_carries(const struct net_link *link, struct err *err)
{
	switch (link->kind) {
	case NET_LINK_VETH:
		return 1;
	case NET_LINK_MACVLAN:
		/* A passthru macvlan has its lower device for itself alone. */
		if (link->macvlan_mode == MACVLAN_MODE_PASSTHRU)
			return err_set(err,
			    "interface %s: macvlan in mode passthru cannot be "
			    "moved into a VM (allowed: bridge, vepa, private)",
			    link->name);
		return 1;
	case NET_LINK_LOOPBACK:
	case NET_LINK_TUNNEL:
		return 0;
	case NET_LINK_OTHER:
		break;
	}
	return err_set(err,
	    "interface %s: %s cannot be moved into a VM (allowed: veth, "
	    "macvlan)",
	    link->name,
	    link->kind_name[0] != '\0' ? link->kind_name : "a hardware device");
}

static const char *
ip_str(char dst[INET6_ADDRSTRLEN], uint8_t family, const struct net_ip *ip)
{
	return inet_ntop(family, ip->bytes, dst, INET6_ADDRSTRLEN);
}

/* Takes val, also when it fails; a NULL val is one of no memory. */
static int
put(struct json_object *o, const char *key, struct json_object *val)
{
	if (val != NULL && json_object_object_add(o, key, val) == 0)
		return 0;
	json_object_put(val);
	return -1;
}

static int
put_str(struct json_object *o, const char *key, const char *s)
{
	return put(o, key, json_object_new_string(s));
}

static int
put_int(struct json_object *o, const char *key, int64_t v)
{
	return put(o, key, json_object_new_int64(v));
}

static int
put_bool(struct json_object *o, const char *key, bool v)
{
	return put(o, key, json_object_new_boolean(v));
}

/* Adds element to array; both are taken care of. */
static int
append(struct json_object *array, struct json_object *element)
{
	if (element != NULL && json_object_array_add(array, element) == 0)
		return 0;
	json_object_put(element);
	return -1;
}

static struct json_object *
addr_json(const struct net_addr *addr)
{
	AUTO_JSON struct json_object *o = json_object_new_object();
	char text[INET6_ADDRSTRLEN];

	if (o == NULL ||
	    put_str(o, "address", ip_str(text, addr->family, &addr->ip)) ==
		-1 ||
	    put_int(o, "prefix", addr->prefix) == -1 ||
	    (addr->has_peer &&
		put_str(o, "peer", ip_str(text, addr->family, &addr->peer)) ==
		    -1))
		return NULL;
	return json_object_get(o);
}

static struct json_object *
addrs_json(const struct net_state *s, int index)
{
	AUTO_JSON struct json_object *a = json_object_new_array();

	for (size_t i = 0; a != NULL && i < s->n_addrs; i++)
		if (s->addrs[i].carried && s->addrs[i].index == index &&
		    append(a, addr_json(&s->addrs[i])) == -1)
			return NULL;
	return json_object_get(a);
}

static struct json_object *
link_json(const struct net_state *s, const struct net_link *link)
{
	AUTO_JSON struct json_object *o = json_object_new_object();
	const uint8_t *m = link->mac;
	char mac[18];

	snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1],
	    m[2], m[3], m[4], m[5]);
	if (o == NULL || put_str(o, "name", link->name) == -1 ||
	    put_str(o, "mac", mac) == -1 ||
	    put_int(o, "mtu", link->mtu) == -1 ||
	    put_bool(o, "ipv6", link->ipv6) == -1 ||
	    put(o, "addresses", addrs_json(s, link->index)) == -1)
		return NULL;
	return json_object_get(o);
}

static struct json_object *
route_json(const struct net_route *rt, const char *interface)
{
	AUTO_JSON struct json_object *o = json_object_new_object();
	char text[INET6_ADDRSTRLEN];
	uint8_t family = rt->family;

	if (o == NULL ||
	    put_str(o, "family", family == AF_INET ? "inet" : "inet6") == -1 ||
	    put_str(o, "destination", ip_str(text, family, &rt->destination)) ==
		-1 ||
	    put_int(o, "prefix", rt->prefix) == -1 ||
	    put_str(o, "interface", interface) == -1 ||
	    put_int(o, "scope", rt->scope) == -1 ||
	    put_int(o, "protocol", rt->protocol) == -1 ||
	    put_bool(o, "onlink", rt->onlink) == -1)
		return NULL;
	if ((rt->has_gateway &&
		put_str(o, "gateway", ip_str(text, family, &rt->gateway)) ==
		    -1) ||
	    (rt->has_source &&
		put_str(o, "source", ip_str(text, family, &rt->source)) ==
		    -1) ||
	    (rt->has_metric && put_int(o, "metric", rt->metric) == -1))
		return NULL;
	return json_object_get(o);
}

/* The routes through carried links, with or without a gateway. */
static int
append_routes(
    struct json_object *array, const struct net_state *s, bool with_gateway)
{
	for (size_t i = 0; i < s->n_routes; i++) {
		const struct net_link *link =
		    net_state_link(s, s->routes[i].index);

		if (s->routes[i].has_gateway != with_gateway || link == NULL ||
		    net_config_carries(link, NULL) != 1)
			continue;
		if (append(array, route_json(&s->routes[i], link->name)) == -1)
			return -1;
	}
	return 0;
}

static struct json_object *
redirect_json(const struct net_redirect *r)
{
	AUTO_JSON struct json_object *o = json_object_new_object();
	const char *protocol = r->protocol == IPPROTO_TCP ? "tcp"
	    : r->protocol == IPPROTO_UDP		  ? "udp"
							  : "sctp";
	char text[INET_ADDRSTRLEN];

	if (o == NULL || put_str(o, "protocol", protocol) == -1 ||
	    put_str(o, "address",
		inet_ntop(AF_INET, &r->address, text, sizeof text)) == -1 ||
	    put_int(o, "port", r->port) == -1 || put_int(o, "to", r->to) == -1)
		return NULL;
	return json_object_get(o);
}

/* Most containers have none, and no member. */
static int
put_redirects(struct json_object *o, const struct net_redirects *r)
{
	AUTO_JSON struct json_object *a = json_object_new_array();

	if (r->n == 0)
		return 0;
	for (size_t i = 0; a != NULL && i < r->n; i++)
		if (append(a, redirect_json(&r->v[i])) == -1)
			return -1;
	return put(o, "redirects", json_object_get(a));
}

static struct json_object *
ipv6_json(const struct net_state *s)
{
	AUTO_JSON struct json_object *o = json_object_new_object();
	bool lo = s->ipv6;

	for (size_t i = 0; i < s->n_links; i++)
		if (s->links[i].kind == NET_LINK_LOOPBACK)
			lo = s->links[i].ipv6;
	if (o == NULL || put_bool(o, "all", s->ipv6) == -1 ||
	    put_bool(o, "lo", lo) == -1)
		return NULL;
	return json_object_get(o);
}

struct json_object *
net_config_json(const struct net_state *s)
{
	AUTO_JSON struct json_object *o = json_object_new_object();
	AUTO_JSON struct json_object *links = json_object_new_array();
	AUTO_JSON struct json_object *routes = json_object_new_array();

	if (o == NULL || links == NULL || routes == NULL)
		return NULL;
	for (size_t i = 0; i < s->n_links; i++)
		if (net_config_carries(&s->links[i], NULL) == 1 &&
		    append(links, link_json(s, &s->links[i])) == -1)
			return NULL;
	/* A gateway must be reachable before a route goes through it. */
	if (append_routes(routes, s, false) == -1 ||
	    append_routes(routes, s, true) == -1 ||
	    put(o, "ipv6", ipv6_json(s)) == -1 ||
	    put(o, "interfaces", json_object_get(links)) == -1 ||
	    put(o, "routes", json_object_get(routes)) == -1 ||
	    put_redirects(o, &s->redirects) == -1)
		return NULL;
	return json_object_get(o);
}
