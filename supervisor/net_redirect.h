/* SPDX-License-Identifier: Apache-2.0
 * Ports that the engine translates within this network namespace.
 *
 * Docker Swarm publishes a service's port by its routing mesh: connections
 * reach the published port of a task's address on network ingress, and a nat
 * rule (iptables(8), PREROUTING, REDIRECT) in the task's own namespace turns
 * that port into the service's. Frames for the guest never pass these rules,
 * so they are read here and the guest gets the same.
 */
#ifndef SUPERVISOR_NET_REDIRECT_H
#define SUPERVISOR_NET_REDIRECT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* What one container may have; more is refused. */
#define NET_REDIRECTS_MAX 256

/* Ports are numbers in host order. */
struct net_redirect {
	uint8_t protocol; /* IPPROTO_TCP, _UDP, _SCTP */
	struct in_addr address;
	uint16_t port, to;
};

struct net_redirects {
	struct net_redirect *v; /* owned */
	size_t n;
};

/*
 * The redirections to other ports of this namespace, of IPv4, in their order,
 * whether iptables wrote them by nf_tables or into its own tables. None where
 * the kernel has neither. Needs CAP_NET_ADMIN. *r must be freed also after -1.
 */
int net_redirects_read(struct net_redirects *r, struct err *err);
void net_redirects_free(struct net_redirects *r);

/* ---- for the two readers ---- */

/* A rule as far as it is read. */
struct net_rule {
	struct net_redirect redirect;
	bool has_protocol, has_address, has_port; /* what it matches */
	bool redirects;				  /* and does */
	bool other; /* it asks for something else, too */
};

/* A match or target of iptables, by its name and the kernel's struct of it
 * (linux/netfilter/xt_tcpudp.h, xt_sctp.h, nf_nat.h). */
void net_rule_match(
    struct net_rule *rule, const char *name, const void *info, size_t len);
void net_rule_target(
    struct net_rule *rule, const char *name, const void *info, size_t len);

/* The end of a rule: one that redirects is kept, and one that redirects and is
 * not understood gets a warning. -1 with errno when there are too many. */
int net_rule_end(struct net_redirects *r, const struct net_rule *rule);

/* The two readers: 0 also when the kernel has no such tables. */
int net_redirects_read_nft(struct net_redirects *r, struct err *err);
int net_redirects_read_xt(struct net_redirects *r, struct err *err);

#endif
