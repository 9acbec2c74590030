/* SPDX-License-Identifier: Apache-2.0
 * What the rules of both kinds have in common. */
#include "supervisor/net_redirect.h"

#include <errno.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_sctp.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

/* One destination port, any source port. */
static bool
one_port(const __u16 source[2], const __u16 dest[2], uint16_t *port)
{
	*port = dest[0];
	return source[0] == 0 && source[1] == UINT16_MAX && dest[0] == dest[1];
}

static bool
match_port(const char *name, const void *info, size_t len, uint16_t *port)
{
	if (strcmp(name, "tcp") == 0 && len >= sizeof(struct xt_tcp)) {
		const struct xt_tcp *m = info;

		return m->option == 0 && m->flg_mask == 0 && m->invflags == 0 &&
		    one_port(m->spts, m->dpts, port);
	}
	if (strcmp(name, "udp") == 0 && len >= sizeof(struct xt_udp)) {
		const struct xt_udp *m = info;

		return m->invflags == 0 && one_port(m->spts, m->dpts, port);
	}
	if (strcmp(name, "sctp") == 0 && len >= sizeof(struct xt_sctp_info)) {
		const struct xt_sctp_info *m = info;

		*port = m->dpts[0];
		return m->flags == XT_SCTP_DEST_PORTS && m->invflags == 0 &&
		    m->dpts[0] == m->dpts[1];
	}
	return false;
}

void
net_rule_match(
    struct net_rule *rule, const char *name, const void *info, size_t len)
{
	if (match_port(name, info, len, &rule->redirect.port))
		rule->has_port = true;
	else
		rule->other = true;
}

void
net_rule_target(
    struct net_rule *rule, const char *name, const void *info, size_t len)
{
	const struct nf_nat_ipv4_multi_range_compat *t = info;

	if (strcmp(name, "REDIRECT") != 0)
		return;
	rule->redirects = true;
	if (len < sizeof *t || t->rangesize != 1 ||
	    t->range[0].flags != NF_NAT_RANGE_PROTO_SPECIFIED ||
	    t->range[0].min.all != t->range[0].max.all)
		rule->other = true;
	else
		rule->redirect.to = ntohs(t->range[0].min.all);
}

static bool
protocol_known(const struct net_rule *rule)
{
	uint8_t p = rule->redirect.protocol;

	return rule->has_protocol &&
	    (p == IPPROTO_TCP || p == IPPROTO_UDP || p == IPPROTO_SCTP);
}

int
net_rule_end(struct net_redirects *r, const struct net_rule *rule)
{
	struct net_redirect *v;

	if (!rule->redirects)
		return 0;
	if (rule->other || !protocol_known(rule) || !rule->has_address ||
	    !rule->has_port || rule->redirect.port == 0 ||
	    rule->redirect.to == 0) {
		log_warn("a rule of this container's network redirects ports "
			 "in a way that is not carried into the VM");
		return 0;
	}
	if (r->n == NET_REDIRECTS_MAX) {
		errno = E2BIG;
		return -1;
	}
	if ((v = reallocarray(r->v, r->n + 1, sizeof *v)) == NULL)
		return -1;
	r->v = v;
	r->v[r->n++] = rule->redirect;
	return 0;
}

int
net_redirects_read(struct net_redirects *r, struct err *err)
{
	*r = (struct net_redirects){.n = 0};
	if (net_redirects_read_xt(r, err) == -1 ||
	    net_redirects_read_nft(r, err) == -1)
		return err_prefix(err, "published ports");
	return 0;
}

void
net_redirects_free(struct net_redirects *r)
{
	free(r->v);
	*r = (struct net_redirects){.n = 0};
}
