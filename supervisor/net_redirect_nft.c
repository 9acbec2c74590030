/* SPDX-License-Identifier: Apache-2.0
 * Reads the nat table of iptables as nf_tables has it (linux/netfilter/
 * nf_tables.h): each rule is a list of expressions that load a part of the
 * packet into a register, compare a register, or act. */
#include "supervisor/net_redirect.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/net_attr.h"

#define TABLE "nat"
#define CHAIN "PREROUTING"
#define ATTRS_MAX 16
#define REGISTERS 32
#define VALUE_MAX 16

/* What a register holds. */
struct reg {
	enum {
		REG_UNKNOWN,
		REG_PROTOCOL,
		REG_ADDRESS,
		REG_PORT,
		REG_VALUE
	} of;
	uint8_t value[VALUE_MAX]; /* of REG_VALUE, in network order */
	size_t len;
};

struct reader {
	struct net_redirects *redirects;
	struct net_rule rule;
	struct reg regs[REGISTERS];
};

struct attrs {
	const struct nlattr *v[ATTRS_MAX];
};

static int
attr_cb(const struct nlattr *attr, void *arg)
{
	struct attrs *a = arg;

	if (mnl_attr_get_type(attr) < ATTRS_MAX)
		a->v[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static struct attrs
nested(const struct nlattr *attr)
{
	struct attrs a = {{NULL}};

	if (attr != NULL)
		mnl_attr_parse_nested(attr, attr_cb, &a);
	return a;
}

/* A number in network order; UINT32_MAX: there is none. */
static uint32_t
number(const struct attrs *a, int type)
{
	const struct nlattr *attr = a->v[type];

	return attr == NULL || mnl_attr_validate(attr, MNL_TYPE_U32) == -1
	    ? UINT32_MAX
	    : ntohl(mnl_attr_get_u32(attr));
}

static const char *
string(const struct attrs *a, int type)
{
	const struct nlattr *attr = a->v[type];

	return attr == NULL ||
		mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == -1
	    ? ""
	    : mnl_attr_get_str(attr);
}

/* The register that attribute type names; one that is out of our sight is as
 * good as unknown. */
static struct reg *
reg_of(struct reader *rd, const struct attrs *a, int type)
{
	uint32_t n = number(a, type);

	/* the old names are of four words each */
	if (n >= NFT_REG_1 && n <= NFT_REG_4)
		n = NFT_REG32_00 + (n - NFT_REG_1) * 4;
	if (n >= NFT_REG32_00 && n < REGISTERS)
		return &rd->regs[n];
	rd->regs[0].of = REG_UNKNOWN;
	return &rd->regs[0];
}

/* ---- expressions --------------------------------------------------------- */

static void
expr_meta(struct reader *rd, const struct attrs *a)
{
	struct reg *reg = reg_of(rd, a, NFTA_META_DREG);

	reg->of = number(a, NFTA_META_KEY) == NFT_META_L4PROTO ? REG_PROTOCOL
							       : REG_UNKNOWN;
}

/* RFC 791: protocol and destination; all transports: destination port */
static void
expr_payload(struct reader *rd, const struct attrs *a)
{
	static const struct {
		uint32_t base, offset, len;
		int of;
	} parts[] = {
	    {NFT_PAYLOAD_NETWORK_HEADER, 9, 1, REG_PROTOCOL},
	    {NFT_PAYLOAD_NETWORK_HEADER, 16, 4, REG_ADDRESS},
	    {NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, REG_PORT},
	};
	struct reg *reg = reg_of(rd, a, NFTA_PAYLOAD_DREG);

	reg->of = REG_UNKNOWN;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (number(a, NFTA_PAYLOAD_BASE) == parts[i].base &&
		    number(a, NFTA_PAYLOAD_OFFSET) == parts[i].offset &&
		    number(a, NFTA_PAYLOAD_LEN) == parts[i].len)
			reg->of = parts[i].of;
}

/* The value in attribute type: its length, 0 when there is none. */
static size_t
data_value(const struct attrs *a, int type, uint8_t value[VALUE_MAX])
{
	struct attrs data = nested(a->v[type]);
	const struct nlattr *v = data.v[NFTA_DATA_VALUE];
	size_t len = v == NULL ? 0 : mnl_attr_get_payload_len(v);

	if (len > VALUE_MAX)
		return 0;
	if (len > 0)
		memcpy(value, mnl_attr_get_payload(v), len);
	return len;
}

static uint16_t
port_of(const uint8_t *value)
{
	return (uint16_t)(value[0] << 8 | value[1]);
}

static void
expr_cmp(struct reader *rd, const struct attrs *a)
{
	const struct reg *reg = reg_of(rd, a, NFTA_CMP_SREG);
	struct net_rule *rule = &rd->rule;
	uint8_t v[VALUE_MAX];
	size_t len = data_value(a, NFTA_CMP_DATA, v);

	if (number(a, NFTA_CMP_OP) != NFT_CMP_EQ) {
		rule->other = true;
	} else if (reg->of == REG_PROTOCOL && len == 1) {
		rule->redirect.protocol = v[0];
		rule->has_protocol = true;
	} else if (reg->of == REG_ADDRESS && len == 4) {
		memcpy(&rule->redirect.address, v, 4);
		rule->has_address = true;
	} else if (reg->of == REG_PORT && len == 2) {
		rule->redirect.port = port_of(v);
		rule->has_port = true;
	} else {
		rule->other = true;
	}
}

static void
expr_immediate(struct reader *rd, const struct attrs *a)
{
	struct reg *reg = reg_of(rd, a, NFTA_IMMEDIATE_DREG);

	reg->of = REG_VALUE;
	reg->len = data_value(a, NFTA_IMMEDIATE_DATA, reg->value);
}

static void
expr_redir(struct reader *rd, const struct attrs *a)
{
	const struct reg *reg = reg_of(rd, a, NFTA_REDIR_REG_PROTO_MIN);

	rd->rule.redirects = true;
	if (reg->of == REG_VALUE && reg->len == 2)
		rd->rule.redirect.to = port_of(reg->value);
	else
		rd->rule.other = true;
}

static void
expr_counter(struct reader *rd, const struct attrs *a)
{
	(void)rd;
	(void)a;
}

/* iptables' own matches and targets, where it does not translate them */
static void
expr_match(struct reader *rd, const struct attrs *a)
{
	const struct nlattr *info = a->v[NFTA_MATCH_INFO];

	if (info == NULL)
		rd->rule.other = true;
	else
		net_rule_match(&rd->rule, string(a, NFTA_MATCH_NAME),
		    mnl_attr_get_payload(info), mnl_attr_get_payload_len(info));
}

static void
expr_target(struct reader *rd, const struct attrs *a)
{
	const struct nlattr *info = a->v[NFTA_TARGET_INFO];

	if (info != NULL)
		net_rule_target(&rd->rule, string(a, NFTA_TARGET_NAME),
		    mnl_attr_get_payload(info), mnl_attr_get_payload_len(info));
}

static const struct {
	const char *name;
	void (*read)(struct reader *rd, const struct attrs *a);
} exprs[] = {
    {"cmp", expr_cmp},
    {"counter", expr_counter},
    {"immediate", expr_immediate},
    {"match", expr_match},
    {"meta", expr_meta},
    {"payload", expr_payload},
    {"redir", expr_redir},
    {"target", expr_target},
};

static void
read_expr(struct reader *rd, const struct nlattr *expr)
{
	struct attrs e = nested(expr), a = nested(e.v[NFTA_EXPR_DATA]);
	const char *name = string(&e, NFTA_EXPR_NAME);

	for (size_t i = 0; i < sizeof exprs / sizeof *exprs; i++) {
		if (strcmp(exprs[i].name, name) == 0) {
			exprs[i].read(rd, &a);
			return;
		}
	}
	rd->rule.other = true;
}

/* ---- the chain ----------------------------------------------------------- */

static int
rule_cb(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *rd = arg;
	struct attrs a = {{NULL}};
	const struct nlattr *expr;

	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE))
		return MNL_CB_OK;
	if (mnl_attr_parse(nlh, sizeof(struct nfgenmsg), attr_cb, &a) == -1)
		return MNL_CB_ERROR;
	/* older kernels send the rules of all chains */
	if (strcmp(string(&a, NFTA_RULE_TABLE), TABLE) != 0 ||
	    strcmp(string(&a, NFTA_RULE_CHAIN), CHAIN) != 0)
		return MNL_CB_OK;
	rd->rule = (struct net_rule){.redirects = false};
	memset(rd->regs, 0, sizeof rd->regs);
	if (a.v[NFTA_RULE_EXPRESSIONS] != NULL)
		mnl_attr_for_each_nested (expr, a.v[NFTA_RULE_EXPRESSIONS])
			read_expr(rd, expr);
	return net_rule_end(rd->redirects, &rd->rule) == -1 ? MNL_CB_ERROR
							    : MNL_CB_OK;
}

static int
ask(struct mnl_socket *sock, char *buf)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *header;

	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header = mnl_nlmsg_put_extra_header(nlh, sizeof *header);
	header->nfgen_family = NFPROTO_IPV4;
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, TABLE);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, CHAIN);
	return mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) == -1 ? -1 : 0;
}

static int
dump(struct mnl_socket *sock, struct reader *rd)
{
	/* as long as a dump's message may be */
	_Alignas(struct nlmsghdr) char buf[32768];
	ssize_t n;
	int more;

	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) == -1 ||
	    ask(sock, buf) == -1)
		return -1;
	do {
		if ((n = mnl_socket_recvfrom(sock, buf, sizeof buf)) == -1)
			return -1;
		more = mnl_cb_run(buf, (size_t)n, 0,
		    mnl_socket_get_portid(sock), rule_cb, rd);
	} while (more > 0);
	return more;
}

int
net_redirects_read_nft(struct net_redirects *r, struct err *err)
{
	struct reader rd = {.redirects = r};
	struct mnl_socket *sock =
	    mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int ret;

	/* a kernel without netfilter */
	if (sock == NULL && errno == EPROTONOSUPPORT)
		return 0;
	if (sock == NULL)
		return err_sys(err, "netfilter socket");
	ret = dump(sock, &rd);
	/* without nf_tables, without the table, without the chain */
	if (ret == -1 && (errno == EINVAL || errno == ENOENT))
		ret = 0;
	if (ret == -1)
		err_sys(err, "nf_tables, table " TABLE);
	mnl_socket_close(sock);
	return ret;
}
