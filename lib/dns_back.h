/* SPDX-License-Identifier: Apache-2.0
 * The half of the DNS relay that asks servers: each query by a socket of its
 * own, so that the kernel tells whose answer it is. */
#ifndef LIB_DNS_BACK_H
#define LIB_DNS_BACK_H

#include "lib/dns_loop.h"

struct dns_back;

struct dns_back_handler {
	/* the end of a query; len 0: no answer */
	void (*answer)(
	    void *arg, uint32_t id, const uint8_t *message, size_t len);
};

/* port: of all servers; wait: how long a server may take, ms. NULL: no memory.
 */
struct dns_back *dns_back_new(struct dns_loop *loop, uint16_t port,
    unsigned wait, const struct dns_back_handler *handler, void *arg);
void dns_back_free(struct dns_back *b);

/* The answer may come within this call. id is the caller's. */
void dns_back_ask(struct dns_back *b, uint32_t id, bool tcp,
    const struct in6_addr *server, const uint8_t *message, size_t len);

/* Ends what is overdue; true while something is under way. */
bool dns_back_tick(struct dns_back *b, uint64_t now);
bool dns_back_busy(const struct dns_back *b);

#endif
