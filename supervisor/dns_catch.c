/* SPDX-License-Identifier: Apache-2.0
 * Catches what Docker's DNS server sends to other servers.
 *
 * dockerd opens these sockets in the container's network namespace, where they
 * used to leave by the container's own interfaces. Those are the guest's now.
 * So a routing table of its own makes every address in the world a local one
 * for packets that begin in this namespace ("iif lo", ip-rule(8); a route of
 * type local, ip-route(8)), never for those that come in from a link; and
 * transparent sockets (ip(7), IP_TRANSPARENT) take what goes to port 53,
 * whatever its address, and answer from that address. Nothing else listens
 * here: connections to other ports are refused as before, only sooner. */
#include "supervisor/dns_catch.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/dns_relay.h"
#include "lib/rtnl.h"

#define TABLE 53
/* behind the rules of net_mute.c and that of table local */
#define PRIORITY 2
#define BACKLOG 16

/* ---- routing ------------------------------------------------------------- */

static int
add_rule(struct rtnl *r, int family, struct err *err)
{
	struct fib_rule_hdr header = {
	    .family = (uint8_t)family, .action = FR_ACT_TO_TBL, .table = TABLE};
	struct nlmsghdr *nlh = rtnl_begin(
	    r, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);

	mnl_attr_put_u32(nlh, FRA_PRIORITY, PRIORITY);
	mnl_attr_put_strz(nlh, FRA_IIFNAME, "lo");
	return rtnl_commit(r, nlh, err);
}

/* The preferred source is an address that is really here: a socket that did
 * not choose one gets it. */
static int
add_route(struct rtnl *r, int family, struct err *err)
{
	struct rtmsg rtm = {.rtm_family = (uint8_t)family,
	    .rtm_table = TABLE,
	    .rtm_protocol = RTPROT_STATIC,
	    .rtm_scope = RT_SCOPE_HOST,
	    .rtm_type = RTN_LOCAL};
	struct nlmsghdr *nlh = rtnl_begin(
	    r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &rtm, sizeof rtm);
	uint32_t loopback = htonl(INADDR_LOOPBACK);

	if (family == AF_INET)
		mnl_attr_put_u32(nlh, RTA_PREFSRC, loopback);
	else
		mnl_attr_put(nlh, RTA_PREFSRC, 16, &in6addr_loopback);
	mnl_attr_put_u32(nlh, RTA_OIF, if_nametoindex("lo"));
	return rtnl_commit(r, nlh, err);
}

/* ---- sockets ------------------------------------------------------------- */

static int
set_options(int fd, int family, struct err *err)
{
	bool v4 = family == AF_INET;
	const int on = 1;
	const struct {
		int level, name;
	} options[] = {
	    {v4 ? IPPROTO_IP : IPPROTO_IPV6,
		v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT},
	    {v4 ? IPPROTO_IP : IPPROTO_IPV6,
		v4 ? IP_PKTINFO : IPV6_RECVPKTINFO},
	    {v4 ? SOL_SOCKET : IPPROTO_IPV6, v4 ? SO_REUSEADDR : IPV6_V6ONLY},
	};

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		if (setsockopt(fd, options[i].level, options[i].name, &on,
			sizeof on) == -1)
			return err_sys(err, "socket option");
	/* broadcasts that reach the links of this namespace are not for us */
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == -1)
		return err_sys(err, "bind to lo");
	return 0;
}

static int
open_socket(int family, int type, struct err *err)
{
	AUTO_CLOSE int fd =
	    socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage any = {.ss_family = (sa_family_t)family};
	socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6);

	if (fd == -1)
		return err_sys(err, "socket");
	/* sin6_port is where sin_port is */
	((struct sockaddr_in *)&any)->sin_port = htons(DNS_PORT);
	if (set_options(fd, family, err) == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&any, len) == -1 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) == -1))
		return err_sys(err, "port %d", DNS_PORT);
	return take_fd(&fd);
}

static int
open_family(struct rtnl *r, int family, struct dns_listener *l, struct err *err)
{
	if (add_route(r, family, err) == -1 || add_rule(r, family, err) == -1)
		return err_prefix(err, "route");
	l->tcp = -1;
	if ((l->udp = open_socket(family, SOCK_DGRAM, err)) == -1)
		return -1;
	if ((l->tcp = open_socket(family, SOCK_STREAM, err)) == -1) {
		close(l->udp);
		return -1;
	}
	return 0;
}

/* proc_net_udp(5): addresses as the kernel has them, as one number. */
bool
dns_catch_wanted(void)
{
	AUTO_FCLOSE FILE *f = fopen("/proc/self/net/udp", "re");
	char line[256], want[16], address[16];

	snprintf(want, sizeof want, "%08X", htonl(DNS_DOCKER_ADDRESS));
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, " %*[0-9]: %8[0-9A-F]:", address) == 1 &&
		    strcmp(address, want) == 0)
			return true;
	return false;
}

int
dns_catch_open(struct dns_catch *c, struct err *err)
{
	struct rtnl *r = rtnl_open(0, err);
	int ret = -1;

	*c = (struct dns_catch){.n = 0};
	if (r != NULL && open_family(r, AF_INET, &c->listeners[0], err) == 0) {
		c->n = 1;
		ret = 0;
		/* a namespace without IPv6 has no such servers either */
		if (open_family(r, AF_INET6, &c->listeners[1], NULL) == 0)
			c->n = 2;
	}
	rtnl_close(r);
	return ret;
}
