/* SPDX-License-Identifier: Apache-2.0
 * Silences this namespace's own stack.
 *
 * Unicast frames for the guest reach its macvtap alone, but multicast ones
 * reach this stack as well. Without addresses it answers none of them; but
 * from a router's advertisement it would make an IPv6 address, the very one
 * that the guest makes. /proc/sys is read-only in a container, so a routing
 * rule (ip-rule(8)) drops all IPv6 that comes in by these links. It must stand
 * before the rule for table local, which the kernel has at priority 0.
 */
#include "supervisor/net_mute.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <string.h>

#include "lib/rtnl.h"

static struct nlmsghdr *
begin_rule(struct rtnl *r, uint16_t type, uint8_t action, uint8_t table,
    uint32_t priority)
{
	struct fib_rule_hdr header = {
	    .family = AF_INET6, .action = action, .table = table};
	struct nlmsghdr *nlh = rtnl_begin(r, type,
	    type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0, &header,
	    sizeof header);

	mnl_attr_put_u32(nlh, FRA_PRIORITY, priority);
	return nlh;
}

/* Makes room at priority 0. 0 when done, now or earlier; else errno. */
static int
move_local_rule(struct rtnl *r, struct err *err)
{
	if (rtnl_commit(r,
		begin_rule(r, RTM_NEWRULE, FR_ACT_TO_TBL, RT_TABLE_LOCAL, 1),
		err) == -1 &&
	    errno != EEXIST)
		return errno;
	if (rtnl_commit(r,
		begin_rule(r, RTM_DELRULE, FR_ACT_TO_TBL, RT_TABLE_LOCAL, 0),
		err) == -1 &&
	    errno != ENOENT)
		return errno;
	return 0;
}

static int
drop_ipv6_from(struct rtnl *r, const struct net_link *link, struct err *err)
{
	struct nlmsghdr *nlh =
	    begin_rule(r, RTM_NEWRULE, FR_ACT_BLACKHOLE, 0, 0);

	mnl_attr_put_strz(nlh, FRA_IIFNAME, link->name);
	return rtnl_commit(r, nlh, err) == -1 && errno != EEXIST ? -1 : 0;
}

static int
drop_ipv6(struct rtnl *r, const struct net_link *const *links, size_t n,
    struct err *err)
{
	int error = move_local_rule(r, err);

	/* a kernel without IPv6, or without rules for it */
	if (error == EAFNOSUPPORT || error == EOPNOTSUPP)
		return 0;
	for (size_t i = 0; error == 0 && i < n; i++)
		if (drop_ipv6_from(r, links[i], err) == -1)
			error = errno;
	return error == 0 ? 0 : err_prefix(err, "rule against IPv6");
}

static int
delete_addr(struct rtnl *r, const struct net_addr *addr, struct err *err)
{
	struct ifaddrmsg ifa = {.ifa_family = addr->family,
	    .ifa_prefixlen = addr->prefix,
	    .ifa_index = (unsigned)addr->index};
	struct nlmsghdr *nlh = rtnl_begin(r, RTM_DELADDR, 0, &ifa, sizeof ifa);
	size_t len = addr->family == AF_INET ? 4 : 16;

	mnl_attr_put(nlh, IFA_LOCAL, len, addr->ip.bytes);
	if (addr->has_peer)
		mnl_attr_put(nlh, IFA_ADDRESS, len, addr->peer.bytes);
	/* Gone already: a secondary one goes with its primary one. */
	if (rtnl_commit(r, nlh, err) == 0 || errno == EADDRNOTAVAIL)
		return 0;
	return -1;
}

static const struct net_link *
find(const struct net_link *const *links, size_t n, int index)
{
	for (size_t i = 0; i < n; i++)
		if (links[i]->index == index)
			return links[i];
	return NULL;
}

/* Read afresh: some may have appeared since the engine's were recorded. */
static int
remove_addrs(struct rtnl *r, const struct net_link *const *links, size_t n,
    struct err *err)
{
	struct net_state now;
	int ret = net_state_read_addrs(r, &now, err);

	for (size_t i = 0; ret == 0 && i < now.n_addrs; i++) {
		const struct net_addr *a = &now.addrs[i];
		const struct net_link *link = find(links, n, a->index);
		char text[NET_PREFIX_STRLEN];

		if (link == NULL || delete_addr(r, a, err) == 0)
			continue;
		net_prefix_str(text, a->family, &a->ip, a->prefix);
		ret = err_prefix(
		    err, "interface %s: remove address %s", link->name, text);
	}
	net_state_free(&now);
	return ret;
}

int
net_mute(struct rtnl *r, const struct net_link *const *links, size_t n,
    struct err *err)
{
	if (n == 0)
		return 0;
	if (drop_ipv6(r, links, n, err) == -1)
		return -1;
	return remove_addrs(r, links, n, err);
}
