/* SPDX-License-Identifier: Apache-2.0
 * The half of the DNS relay that clients talk to: queries by UDP and TCP, each
 * answered once, by SERVFAIL (RFC 1035, 4.1.1) when nothing better came. */
#ifndef LIB_DNS_FRONT_H
#define LIB_DNS_FRONT_H

#include "lib/dns_loop.h"

struct dns_front;

struct dns_front_handler {
	/* somebody asks the server at that address; -1: it cannot be asked.
	 * The answer may not come within this call */
	int (*query)(void *arg, uint32_t id, bool tcp,
	    const struct in6_addr *server, const uint8_t *message, size_t len);
};

/* Sockets to serve, bound, listening and non-blocking, with IP_PKTINFO or
 * IPV6_RECVPKTINFO on; -1: none. Owned from dns_front_new() on. */
#define DNS_LISTENERS_MAX 2
struct dns_listener {
	int udp, tcp;
};

void dns_listeners_close(const struct dns_listener *listeners, size_t n);

/* wait: how long a client waits for its answer, ms. NULL: no memory, and the
 * sockets are closed. */
struct dns_front *dns_front_new(struct dns_loop *loop,
    const struct dns_listener *listeners, size_t n, unsigned wait,
    const struct dns_front_handler *handler, void *arg);
void dns_front_free(struct dns_front *f);

/* len 0: there is none. Answers to nobody are dropped. */
void dns_front_answer(
    struct dns_front *f, uint32_t id, const uint8_t *message, size_t len);

/* Ends what is overdue; true while something is under way. */
bool dns_front_tick(struct dns_front *f, uint64_t now);
bool dns_front_busy(const struct dns_front *f);

#endif
