/* SPDX-License-Identifier: Apache-2.0
 * The agent's end of the DNS relay: Docker's DNS server as the container's
 * processes see it. */
#ifndef GUEST_AGENT_DNS_H
#define GUEST_AGENT_DNS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/wire.h"

struct channel;
struct dns;
struct loop;

/* Listens at 127.0.0.11, at a port of its own choice for UDP and TCP. kick:
 * there is something to send. */
struct dns *dns_new(struct loop *loop, struct channel *ch,
    void (*kick)(void *arg), void *arg, struct err *err);

/* The port, to be reached by dns_redirect(). */
uint16_t dns_port(const struct dns *d);

/* WIRE_DNS_QUERY or WIRE_DNS_ANSWER of the supervisor. */
void
dns_message(struct dns *d, enum wire_type type, const uint8_t *p, size_t len);

#endif
