/* SPDX-License-Identifier: Apache-2.0
 * Redirected ports by nf_tables (linux/netfilter/nf_tables.h).
 *
 * Table runq has three chains: prerouting redirects, input and output close
 * what is left of the addresses. All of it is one transaction: a batch of
 * messages, of which the kernel takes all or none. The kernel asks for the
 * modules that it needs. */
#include "guest-agent/net_redirect.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"

#define TABLE "runq"
#define PREROUTING "prerouting"
#define INPUT "input"
#define OUTPUT "output"
#define MESSAGE_MAX 1024
/* one, its port in both chains, and the end of its address there for three
 * protocols */
#define RULES_OF(redirects) ((redirects) * (1 + 2 + 2 * 3))

struct batch {
	char *buf;
	size_t len;
	uint32_t seq;
	struct nlmsghdr *last; /* before the end */
};

/* ---- messages ------------------------------------------------------------ */

static struct nlmsghdr *
begin(struct batch *b, uint16_t type, uint16_t flags, uint16_t res_id)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(b->buf + b->len);
	struct nfgenmsg *header;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nlh->nlmsg_seq = b->seq++;
	header = mnl_nlmsg_put_extra_header(nlh, sizeof *header);
	header->nfgen_family = NFPROTO_IPV4;
	header->res_id = htons(res_id);
	return nlh;
}

static struct nlmsghdr *
begin_nft(struct batch *b, uint16_t type, uint16_t flags)
{
	return begin(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, 0);
}

static void
end(struct batch *b, struct nlmsghdr *nlh)
{
	b->last = nlh;
	b->len += MNL_ALIGN(nlh->nlmsg_len);
}

static void
add_table(struct batch *b)
{
	struct nlmsghdr *nlh = begin_nft(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, TABLE);
	end(b, nlh);
}

static void
add_chain(struct batch *b, const char *name, const char *type, uint32_t hook,
    int32_t priority)
{
	struct nlmsghdr *nlh = begin_nft(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *nest;

	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, TABLE);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, name);
	nest = mnl_attr_nest_start(nlh, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(nlh, NFTA_HOOK_HOOKNUM, htonl(hook));
	mnl_attr_put_u32(nlh, NFTA_HOOK_PRIORITY, htonl((uint32_t)priority));
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TYPE, type);
	end(b, nlh);
}

/* ---- rules --------------------------------------------------------------- */

struct rule {
	struct nlmsghdr *nlh;
	struct nlattr *exprs, *expr, *data;
};

static struct rule
begin_rule(struct batch *b, const char *chain)
{
	struct rule r = {
	    .nlh = begin_nft(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND)};

	mnl_attr_put_strz(r.nlh, NFTA_RULE_TABLE, TABLE);
	mnl_attr_put_strz(r.nlh, NFTA_RULE_CHAIN, chain);
	r.exprs = mnl_attr_nest_start(r.nlh, NFTA_RULE_EXPRESSIONS);
	return r;
}

static void
end_rule(struct batch *b, struct rule *r)
{
	mnl_attr_nest_end(r->nlh, r->exprs);
	end(b, r->nlh);
}

static void
begin_expr(struct rule *r, const char *name)
{
	r->expr = mnl_attr_nest_start(r->nlh, NFTA_LIST_ELEM);
	mnl_attr_put_strz(r->nlh, NFTA_EXPR_NAME, name);
	r->data = mnl_attr_nest_start(r->nlh, NFTA_EXPR_DATA);
}

static void
end_expr(struct rule *r)
{
	mnl_attr_nest_end(r->nlh, r->data);
	mnl_attr_nest_end(r->nlh, r->expr);
}

static void
put_number(struct rule *r, uint16_t type, uint32_t v)
{
	mnl_attr_put_u32(r->nlh, type, htonl(v));
}

static void
put_value(struct rule *r, uint16_t type, const void *value, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(r->nlh, type);

	mnl_attr_put(r->nlh, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(r->nlh, nest);
}

/* Compares what is in register 1. */
static void
put_equal(struct rule *r, const void *value, size_t len)
{
	begin_expr(r, "cmp");
	put_number(r, NFTA_CMP_SREG, NFT_REG_1);
	put_number(r, NFTA_CMP_OP, NFT_CMP_EQ);
	put_value(r, NFTA_CMP_DATA, value, len);
	end_expr(r);
}

static void
put_part(struct rule *r, uint32_t base, uint32_t offset, const void *value,
    uint32_t len)
{
	begin_expr(r, "payload");
	put_number(r, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(r, NFTA_PAYLOAD_BASE, base);
	put_number(r, NFTA_PAYLOAD_OFFSET, offset);
	put_number(r, NFTA_PAYLOAD_LEN, len);
	end_expr(r);
	put_equal(r, value, len);
}

/* RFC 791: source and destination are at 12 and 16; ports come first in all
 * three transports. */
static void
put_packet(struct rule *r, bool out, uint8_t protocol,
    const struct net_plan_ip *ip, uint16_t port)
{
	uint16_t net_port = htons(port);

	begin_expr(r, "meta");
	put_number(r, NFTA_META_DREG, NFT_REG_1);
	put_number(r, NFTA_META_KEY, NFT_META_L4PROTO);
	end_expr(r);
	put_equal(r, &protocol, sizeof protocol);
	put_part(r, NFT_PAYLOAD_NETWORK_HEADER, out ? 12 : 16, ip->bytes, 4);
	if (port != 0)
		put_part(r, NFT_PAYLOAD_TRANSPORT_HEADER, out ? 0 : 2,
		    &net_port, sizeof net_port);
}

static void
put_redirect(struct rule *r, uint16_t port)
{
	uint16_t net_port = htons(port);

	begin_expr(r, "immediate");
	put_number(r, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_value(r, NFTA_IMMEDIATE_DATA, &net_port, sizeof net_port);
	end_expr(r);
	begin_expr(r, "redir");
	put_number(r, NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
	end_expr(r);
}

static void
put_verdict(struct rule *r, uint32_t verdict)
{
	struct nlattr *data, *nest;

	begin_expr(r, "immediate");
	put_number(r, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(r->nlh, NFTA_IMMEDIATE_DATA);
	nest = mnl_attr_nest_start(r->nlh, NFTA_DATA_VERDICT);
	put_number(r, NFTA_VERDICT_CODE, verdict);
	mnl_attr_nest_end(r->nlh, nest);
	mnl_attr_nest_end(r->nlh, data);
	end_expr(r);
}

static void
add_redirect(struct batch *b, const struct net_plan_redirect *p)
{
	struct rule r = begin_rule(b, PREROUTING);

	put_packet(&r, false, p->protocol, &p->address, p->port);
	put_redirect(&r, p->to);
	end_rule(b, &r);
}

/* port 0: any */
static void
add_verdicts(struct batch *b, uint8_t protocol, const struct net_plan_ip *ip,
    uint16_t port, uint32_t verdict)
{
	struct rule r = begin_rule(b, INPUT);

	put_packet(&r, false, protocol, ip, port);
	put_verdict(&r, verdict);
	end_rule(b, &r);
	r = begin_rule(b, OUTPUT);
	put_packet(&r, true, protocol, ip, port);
	put_verdict(&r, verdict);
	end_rule(b, &r);
}

static bool
seen_before(const struct net_plan *plan, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(plan->redirects[i].address.bytes,
			plan->redirects[n].address.bytes, 4) == 0)
			return true;
	return false;
}

static void
close_address(struct batch *b, const struct net_plan_ip *ip)
{
	static const uint8_t all[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};

	for (size_t i = 0; i < sizeof all; i++)
		add_verdicts(b, all[i], ip, 0, NF_DROP);
}

static void
build(struct batch *b, const struct net_plan *plan)
{
	struct nlmsghdr *nlh =
	    begin(b, NFNL_MSG_BATCH_BEGIN, 0, NFNL_SUBSYS_NFTABLES);

	end(b, nlh);
	add_table(b);
	add_chain(b, PREROUTING, "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST);
	add_chain(b, INPUT, "filter", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER);
	add_chain(b, OUTPUT, "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_FILTER);
	for (size_t i = 0; i < plan->n_redirects; i++) {
		const struct net_plan_redirect *p = &plan->redirects[i];

		add_redirect(b, p);
		add_verdicts(b, p->protocol, &p->address, p->to, NF_ACCEPT);
	}
	for (size_t i = 0; i < plan->n_redirects; i++)
		if (!seen_before(plan, i))
			close_address(b, &plan->redirects[i].address);
	/* it is answered; before it what goes wrong with others */
	b->last->nlmsg_flags |= NLM_F_ACK;
	nlh = begin(b, NFNL_MSG_BATCH_END, 0, NFNL_SUBSYS_NFTABLES);
	end(b, nlh);
}

/* ---- the transaction ----------------------------------------------------- */

static int
commit(struct mnl_socket *sock, const struct batch *b)
{
	_Alignas(struct nlmsghdr) char answer[8192];
	int size = (int)b->len * 2, fd = mnl_socket_get_fd(sock);
	ssize_t n;

	/* the kernel takes a batch in one piece */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) ==
		-1 ||
	    mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) == -1 ||
	    mnl_socket_sendto(sock, b->buf, b->len) == -1)
		return -1;
	/* the answers are there: the first tells it all */
	if ((n = mnl_socket_recvfrom(sock, answer, sizeof answer)) == -1)
		return -1;
	return mnl_cb_run(answer, (size_t)n, 0, mnl_socket_get_portid(sock),
		   NULL, NULL) == -1
	    ? -1
	    : 0;
}

int
net_redirect(const struct net_plan *plan, struct err *err)
{
	struct batch b = {.len = 0};
	AUTO_FREE char *buf = NULL;
	struct mnl_socket *sock;
	int ret;

	if (plan->n_redirects == 0)
		return 0;
	if ((buf = calloc(RULES_OF(plan->n_redirects) + 8, MESSAGE_MAX)) ==
	    NULL)
		return err_sys(err, "published ports");
	b.buf = buf;
	build(&b, plan);
	sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (sock == NULL)
		return err_sys(err, "published ports: netfilter socket");
	if ((ret = commit(sock, &b)) == -1)
		err_sys(err, "published ports: nf_tables of the guest");
	mnl_socket_close(sock);
	return ret;
}
