/* SPDX-License-Identifier: Apache-2.0
 * DNS through the channel. Both programs have one end of the relay:
 *
 *   agent: takes queries for Docker's DNS server (127.0.0.11) from the
 *   container's processes; the supervisor asks that server, in whose network
 *   namespace it listens.
 *
 *   supervisor: takes the queries that Docker's DNS server forwards to others,
 *   as the interfaces of that namespace are the guest's now; the agent asks
 *   them from the guest.
 *
 * Messages are carried, not understood. QUERY is u32 id, u32 protocol (IANA:
 * 6 TCP, 17 UDP), 16 bytes address of the server (IPv4: mapped), message.
 * ANSWER is u32 id and the message, or nothing when there is none. */
#ifndef LIB_DNS_RELAY_H
#define LIB_DNS_RELAY_H

#include "lib/dns_front.h"
#include "lib/wire.h"

/* moby/libnetwork resolver.go: up to three servers get four seconds each. */
#define DNS_WAIT_DOCKER 13000
#define DNS_WAIT_UPSTREAM 5000

#define DNS_DOCKER_ADDRESS 0x7f00000bu /* 127.0.0.11 */

struct dns_relay;

struct dns_relay_parts {
	struct dns_listener listeners[DNS_LISTENERS_MAX];
	size_t n_listeners;  /* their sockets are taken over */
	unsigned wait_front; /* ms for an answer of the peer */
	unsigned wait_back;  /* ms for an answer of a server */
	/* queries of the peer go to Docker's server only, whatever they say */
	bool docker_only;
	/* a control frame of session 0; -1: it cannot be taken now */
	int (*send)(
	    void *arg, enum wire_type type, const uint8_t *p, size_t len);
	void *arg;
};

struct dns_relay *
dns_relay_new(const struct dns_relay_parts *parts, struct err *err);
void dns_relay_free(struct dns_relay *r);

/* Readable when dns_relay_run() has something to do. */
int dns_relay_fd(const struct dns_relay *r);
void dns_relay_run(struct dns_relay *r);

/* WIRE_DNS_QUERY or WIRE_DNS_ANSWER from the peer. */
void dns_relay_message(
    struct dns_relay *r, enum wire_type type, const uint8_t *p, size_t len);

#endif
