/* SPDX-License-Identifier: Apache-2.0
 * Reads the network namespace: dumps of links, addresses and routes. */
#include "supervisor/net_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/rtnl.h"

/* More than this in one container's namespace is nobody's intention. */
#define LINKS_MAX 256
#define ADDRS_MAX 1024
#define ROUTES_MAX 4096

/* The kernel tells when its tables changed during a dump. */
#define READ_ATTEMPTS 16

#define SYSCTL_ALL_IPV6 "/proc/sys/net/ipv6/conf/all/disable_ipv6"

struct reader {
	struct net_state *state;
	uint8_t family; /* of the routes asked for */
	struct err *err;
};

/* Room for one more element, zeroed; NULL with errno. */
static void *
grow(void **vec, size_t *n, size_t max, size_t size)
{
	void *p;

	if (*n == max) {
		errno = E2BIG;
		return NULL;
	}
	if ((p = reallocarray(*vec, *n + 1, size)) == NULL)
		return NULL;
	*vec = p;
	p = (char *)p + *n * size;
	++*n;
	return p;
}

static int
link_cb(const struct nlmsghdr *nlh, void *arg)
{
	struct net_state *s = ((struct reader *)arg)->state;
	struct net_link *link =
	    grow((void **)&s->links, &s->n_links, LINKS_MAX, sizeof *link);

	return link != NULL && net_link_parse(nlh, link) == 0 ? MNL_CB_OK
							      : MNL_CB_ERROR;
}

static int
addr_cb(const struct nlmsghdr *nlh, void *arg)
{
	struct net_state *s = ((struct reader *)arg)->state;
	struct net_addr *addr =
	    grow((void **)&s->addrs, &s->n_addrs, ADDRS_MAX, sizeof *addr);

	return addr != NULL && net_addr_parse(nlh, addr) == 0 ? MNL_CB_OK
							      : MNL_CB_ERROR;
}

static int
route_cb(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *rd = arg;
	struct net_state *s = rd->state;
	struct net_route route, *slot;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	/* A kernel without IPv6 answers with the routes of all families. */
	if (rtm->rtm_family != rd->family)
		return MNL_CB_OK;
	switch (net_route_parse(nlh, &route, rd->err)) {
	case NET_ROUTE_SKIP:
		return MNL_CB_OK;
	case NET_ROUTE_REFUSE:
		errno = EOPNOTSUPP;
		return MNL_CB_ERROR;
	case NET_ROUTE_CARRY:
		break;
	}
	slot =
	    grow((void **)&s->routes, &s->n_routes, ROUTES_MAX, sizeof *slot);
	if (slot == NULL)
		return MNL_CB_ERROR;
	*slot = route;
	return MNL_CB_OK;
}

static int
by_index(const void *a, const void *b)
{
	return ((const struct net_link *)a)->index -
	    ((const struct net_link *)b)->index;
}

/* Absent without IPv6 in the kernel. */
static bool
ipv6_everywhere(void)
{
	AUTO_CLOSE int fd = open(SYSCTL_ALL_IPV6, O_RDONLY | O_CLOEXEC);
	char c;

	return fd != -1 && read(fd, &c, 1) == 1 && c == '0';
}

static int
read_routes(struct rtnl *r, struct reader *rd, uint8_t family)
{
	rd->family = family;
	return rtnl_dump(r, RTM_GETROUTE, family, route_cb, rd, rd->err);
}

static int
read_addrs(struct rtnl *r, struct net_state *s, struct err *err)
{
	struct reader rd = {s, AF_UNSPEC, err};

	*s = (struct net_state){.ipv6 = ipv6_everywhere()};
	if (rtnl_dump(r, RTM_GETADDR, AF_UNSPEC, addr_cb, &rd, err) == -1)
		return err_prefix(err, "addresses of the container");
	return 0;
}

static int
read_all(struct rtnl *r, struct net_state *s, struct err *err)
{
	struct reader rd = {s, AF_UNSPEC, err};

	if (read_addrs(r, s, err) == -1)
		return -1;
	if (rtnl_dump(r, RTM_GETLINK, AF_UNSPEC, link_cb, &rd, err) == -1)
		return err_prefix(err, "links of the container");
	if (read_routes(r, &rd, AF_INET) == -1 ||
	    read_routes(r, &rd, AF_INET6) == -1)
		return err_prefix(err, "routes of the container");
	qsort(s->links, s->n_links, sizeof *s->links, by_index);
	return 0;
}

static int
read_consistent(struct rtnl *r, struct net_state *s,
    int (*read_once)(struct rtnl *, struct net_state *, struct err *),
    struct err *err)
{
	for (int i = 1;; i++) {
		if (read_once(r, s, err) == 0)
			return 0;
		if (errno != EINTR || i == READ_ATTEMPTS)
			return -1;
		net_state_free(s);
	}
}

int
net_state_read(struct rtnl *r, struct net_state *s, struct err *err)
{
	return read_consistent(r, s, read_all, err);
}

int
net_state_read_addrs(struct rtnl *r, struct net_state *s, struct err *err)
{
	return read_consistent(r, s, read_addrs, err);
}

void
net_state_free(struct net_state *s)
{
	free(s->links);
	free(s->addrs);
	free(s->routes);
	net_redirects_free(&s->redirects);
	*s = (struct net_state){0};
}

const struct net_link *
net_state_link(const struct net_state *s, int index)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (s->links[i].index == index)
			return &s->links[i];
	return NULL;
}
