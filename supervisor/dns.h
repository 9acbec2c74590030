/* SPDX-License-Identifier: Apache-2.0
 * The supervisor's end of the DNS relay, in its event loop and channel. */
#ifndef SUPERVISOR_DNS_H
#define SUPERVISOR_DNS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/wire.h"

struct channel;
struct dns;
struct dns_catch;
struct event_base;

/* kick: there is something to send. The sockets of caught are taken over;
 * NULL: Docker's DNS server alone is asked. */
struct dns *dns_new(struct event_base *base, struct channel *ch,
    const struct dns_catch *caught, void (*kick)(void *arg), void *arg,
    struct err *err);
void dns_free(struct dns *d);

/* WIRE_DNS_QUERY or WIRE_DNS_ANSWER of the agent. */
void
dns_message(struct dns *d, enum wire_type type, const uint8_t *p, size_t len);

#endif
