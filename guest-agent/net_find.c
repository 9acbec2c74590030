/* SPDX-License-Identifier: Apache-2.0
 * The guest's interfaces by MAC address. */
#include "guest-agent/net_find.h"

#include <errno.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "lib/rtnl.h"

struct search {
	const struct net_plan *plan;
	struct net_found *found;
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
note(struct search *s, int index, const char *name, const uint8_t mac[6])
{
	for (size_t i = 0; i < s->plan->n_ifs; i++) {
		struct net_found *f = &s->found[i];

		if (memcmp(s->plan->ifs[i].mac, mac, 6) != 0 ||
		    (f->index != 0 && f->index != index))
			continue;
		f->index = index;
		strncpy(f->name, name, sizeof f->name - 1);
	}
}

static void
forget(struct search *s, int index)
{
	for (size_t i = 0; i < s->plan->n_ifs; i++)
		if (s->found[i].index == index)
			s->found[i].index = 0;
}

/* A link of a dump, or an event about one. */
static int
link_cb(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const char *name = NULL;
	const uint8_t *mac = NULL;
	const struct nlattr *attr;

	if (nlh->nlmsg_type == RTM_DELLINK)
		forget(arg, ifi->ifi_index);
	if (nlh->nlmsg_type != RTM_NEWLINK || ifi->ifi_type != ARPHRD_ETHER)
		return MNL_CB_OK;
	mnl_attr_for_each (attr, nlh, sizeof *ifi) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			name = mnl_attr_get_str(attr);
		if (mnl_attr_get_type(attr) == IFLA_ADDRESS &&
		    mnl_attr_get_payload_len(attr) == 6)
			mac = mnl_attr_get_payload(attr);
	}
	if (name != NULL && mac != NULL)
		note(arg, ifi->ifi_index, name, mac);
	return MNL_CB_OK;
}

static const struct net_plan_if *
first_missing(const struct search *s)
{
	for (size_t i = 0; i < s->plan->n_ifs; i++)
		if (s->found[i].index == 0)
			return &s->plan->ifs[i];
	return NULL;
}

/* The kernel tells when links changed during a dump: what was found is right
 * all the same, and the events tell the rest. */
static int
look(struct rtnl *r, struct search *s, struct err *err)
{
	if (rtnl_dump(r, RTM_GETLINK, AF_UNSPEC, link_cb, s, err) == 0 ||
	    errno == EINTR)
		return 0;
	return err_prefix(err, "network: list of links");
}

static int
missing(const struct net_plan_if *nif, int deadline_ms, struct err *err)
{
	const uint8_t *m = nif->mac;

	return err_set(err,
	    "interface %s: no device with MAC address "
	    "%02x:%02x:%02x:%02x:%02x:%02x appeared within %d ms",
	    nif->name, m[0], m[1], m[2], m[3], m[4], m[5], deadline_ms);
}

static int
wait_for_all(struct rtnl *r, struct rtnl *events, struct search *s,
    int deadline_ms, struct err *err)
{
	int64_t end = now_ms() + deadline_ms, left;
	struct pollfd pfd = {.fd = rtnl_fd(events), .events = POLLIN};
	const struct net_plan_if *nif;

	while ((nif = first_missing(s)) != NULL) {
		if ((left = end - now_ms()) <= 0)
			return missing(nif, deadline_ms, err);
		if (poll(&pfd, 1, (int)left) == -1 && errno != EINTR)
			return err_sys(err, "network: poll");
		if (rtnl_events(events, link_cb, s) == 0)
			continue;
		if (errno != ENOBUFS)
			return err_sys(err, "network: link events");
		/* some were lost */
		if (look(r, s, err) == -1)
			return -1;
	}
	return 0;
}

int
net_find(struct rtnl *r, const struct net_plan *plan, struct net_found *found,
    int deadline_ms, struct err *err)
{
	struct search s = {plan, found};
	struct rtnl *events;
	int ret;

	memset(found, 0, plan->n_ifs * sizeof *found);
	/* Subscribed before the first look: nothing falls in between. */
	if ((events = rtnl_open(RTMGRP_LINK, err)) == NULL)
		return -1;
	ret = look(r, &s, err);
	if (ret == 0)
		ret = wait_for_all(r, events, &s, deadline_ms, err);
	rtnl_close(events);
	return ret;
}
