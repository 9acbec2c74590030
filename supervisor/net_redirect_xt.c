/* SPDX-License-Identifier: Apache-2.0
 * Reads the nat table of iptables as its own kernel code has it
 * (linux/netfilter_ipv4/ip_tables.h). */
#include "supervisor/net_redirect.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"

#define TABLE "nat"
#define SIZE_MAX_TABLE (16u << 20)
#define NAMES "/proc/self/net/ip_tables_names"

/* Asking for a table would make it; this file tells which are there. */
static bool
table_is_there(void)
{
	AUTO_FCLOSE FILE *f = fopen(NAMES, "re");
	char name[XT_TABLE_MAXNAMELEN + 2];

	while (f != NULL && fgets(name, sizeof name, f) != NULL)
		if (strcmp(name, TABLE "\n") == 0)
			return true;
	return false;
}

/* A match or target at p: its name, and its struct behind the header. NULL: it
 * does not fit before end. */
static const void *
extension(const char *p, const char *end, const char **name, size_t *size)
{
	const struct xt_entry_match *m = (const void *)p;

	if ((size_t)(end - p) < sizeof *m || m->u.match_size < sizeof *m ||
	    m->u.match_size > end - p ||
	    memchr(m->u.user.name, '\0', sizeof m->u.user.name) == NULL)
		return NULL;
	*name = m->u.user.name;
	*size = m->u.match_size;
	return m->data;
}

static void
read_address(struct net_rule *rule, const struct ipt_ip *ip)
{
	rule->redirect.protocol = (uint8_t)ip->proto;
	rule->has_protocol = ip->proto != 0;
	rule->redirect.address = ip->dst;
	rule->has_address = ip->dmsk.s_addr == INADDR_NONE;
	rule->other = ip->invflags != 0 || ip->smsk.s_addr != 0 ||
	    ip->iniface_mask[0] != 0 || ip->outiface_mask[0] != 0;
}

/* One entry of size bytes. */
static int
read_entry(struct net_redirects *r, const struct ipt_entry *e, size_t size)
{
	const char *at = (const char *)e, *name;
	const char *target = at + e->target_offset, *end = at + size;
	struct net_rule rule = {.redirects = false};
	const void *info;
	size_t n;

	read_address(&rule, &e->ip);
	for (at += sizeof *e; at < target; at += n) {
		if ((info = extension(at, target, &name, &n)) == NULL)
			goto malformed;
		net_rule_match(
		    &rule, name, info, n - sizeof(struct xt_entry_match));
	}
	if ((info = extension(target, end, &name, &n)) == NULL)
		goto malformed;
	net_rule_target(&rule, name, info, n - sizeof(struct xt_entry_target));
	return net_rule_end(r, &rule);
malformed:
	errno = EBADMSG;
	return -1;
}

static int
read_chain(struct net_redirects *r, const struct ipt_getinfo *info,
    const struct ipt_get_entries *all)
{
	const char *table = (const char *)all->entrytable;
	size_t at = info->hook_entry[NF_INET_PRE_ROUTING];
	size_t end = info->underflow[NF_INET_PRE_ROUTING];

	while (at < end) {
		const struct ipt_entry *e = (const void *)(table + at);

		if (end > all->size || end - at < sizeof *e ||
		    e->target_offset < sizeof *e ||
		    e->next_offset < e->target_offset ||
		    e->next_offset > end - at) {
			errno = EBADMSG;
			return -1;
		}
		if (read_entry(r, e, e->next_offset) == -1)
			return -1;
		at += e->next_offset;
	}
	return 0;
}

static int
read_table(int fd, struct net_redirects *r)
{
	struct ipt_getinfo info = {.name = TABLE};
	AUTO_FREE struct ipt_get_entries *all = NULL;
	socklen_t len = sizeof info;

	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &len) == -1)
		return -1;
	if (info.size > SIZE_MAX_TABLE) {
		errno = E2BIG;
		return -1;
	}
	len = (socklen_t)(sizeof *all + info.size);
	if ((all = calloc(1, len)) == NULL)
		return -1;
	strcpy(all->name, TABLE);
	all->size = info.size;
	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, all, &len) == -1)
		return -1;
	return read_chain(r, &info, all);
}

int
net_redirects_read_xt(struct net_redirects *r, struct err *err)
{
	AUTO_CLOSE int fd = -1;

	if (!table_is_there())
		return 0;
	if ((fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1 ||
	    read_table(fd, r) == -1)
		return err_sys(err, "iptables, table " TABLE);
	return 0;
}
