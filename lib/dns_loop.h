/* SPDX-License-Identifier: Apache-2.0
 * What the DNS relay waits on: an epoll instance of its own, which is readable
 * itself and so fits into the loop of whichever program it lives in. */
#ifndef LIB_DNS_LOOP_H
#define LIB_DNS_LOOP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/err.h"

#define DNS_PORT 53
#define DNS_HEADER 12	      /* RFC 1035, 4.1.1 */
#define DNS_MESSAGE_MAX 65535 /* RFC 1035, 4.2.2 */
/* Queries under way at once, in each direction. */
#define DNS_QUERIES_MAX 256

/* Embedded in its owner; fd -1: closed. */
struct dns_source {
	int fd;
	uint32_t events; /* that are watched */
	void (*cb)(struct dns_source *s, uint32_t events);
};

struct dns_loop {
	int epfd;
	int timer; /* ticks once a second while something is under way */
	bool ticking;
};

/* The fds are the caller's to close by dns_loop_close(). */
int dns_loop_open(struct dns_loop *l, struct err *err);
void dns_loop_close(struct dns_loop *l);

/* events 0: no longer. */
int dns_watch(struct dns_loop *l, struct dns_source *s, uint32_t events);
/* Out of the loop and closed. */
void dns_close(struct dns_loop *l, struct dns_source *s);

/* Runs what is ready; true when a tick was among it. */
bool dns_loop_run(struct dns_loop *l);
void dns_loop_tick(struct dns_loop *l, bool on);

/* CLOCK_MONOTONIC, milliseconds */
uint64_t dns_now(void);

/* IPv4 addresses are mapped ones (RFC 4291, 2.5.5.2). */
void dns_map(const struct sockaddr_storage *from, struct in6_addr *to);
socklen_t dns_sockaddr(
    const struct in6_addr *from, uint16_t port, struct sockaddr_storage *to);

#endif
