/* SPDX-License-Identifier: Apache-2.0
 * The supervisor's end of the DNS relay, in its event loop and channel. */
#include "supervisor/dns.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "lib/channel.h"
#include "lib/dns_relay.h"
#include "supervisor/dns_catch.h"

struct dns {
	struct channel *ch;
	void (*kick)(void *arg);
	void *arg;
	struct dns_relay *relay;
	struct event *ev;
};

static int
dns_send_cb(void *arg, enum wire_type type, const uint8_t *p, size_t len)
{
	struct dns *d = arg;

	return channel_send(d->ch, type, 0, p, len, NULL);
}

static void
dns_ready_cb(evutil_socket_t fd, short what, void *arg)
{
	struct dns *d = arg;

	(void)fd;
	(void)what;
	dns_relay_run(d->relay);
	d->kick(d->arg);
}

struct dns *
dns_new(struct event_base *base, struct channel *ch,
    const struct dns_catch *caught, void (*kick)(void *arg), void *arg,
    struct err *err)
{
	struct dns_relay_parts parts = {.wait_front = DNS_WAIT_UPSTREAM,
	    .wait_back = DNS_WAIT_DOCKER,
	    .docker_only = true,
	    .send = dns_send_cb};
	struct dns *d = calloc(1, sizeof *d);

	if (d == NULL) {
		err_set(err, "DNS relay: out of memory");
		return NULL;
	}
	parts.arg = d;
	if (caught != NULL) {
		parts.n_listeners = caught->n;
		memcpy(
		    parts.listeners, caught->listeners, sizeof parts.listeners);
	}
	d->ch = ch;
	d->kick = kick;
	d->arg = arg;
	if ((d->relay = dns_relay_new(&parts, err)) == NULL) {
		dns_free(d);
		return NULL;
	}
	d->ev = event_new(base, dns_relay_fd(d->relay), EV_READ | EV_PERSIST,
	    dns_ready_cb, d);
	if (d->ev == NULL || event_add(d->ev, NULL) == -1) {
		err_set(err, "DNS relay: out of memory");
		dns_free(d);
		return NULL;
	}
	return d;
}

void
dns_free(struct dns *d)
{
	if (d == NULL)
		return;
	if (d->ev != NULL)
		event_free(d->ev);
	dns_relay_free(d->relay);
	free(d);
}

/* What it makes us send goes out with what the carrier sends next: the caller
 * is within its read. */
void
dns_message(struct dns *d, enum wire_type type, const uint8_t *p, size_t len)
{
	dns_relay_message(d->relay, type, p, len);
	d->kick(d->arg);
}
