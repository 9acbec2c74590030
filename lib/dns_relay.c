/* SPDX-License-Identifier: Apache-2.0
 * DNS through the channel: queries and answers as frames. */
#include "lib/dns_relay.h"

#include <stdlib.h>
#include <string.h>

#include "lib/dns_back.h"

struct dns_relay {
	struct dns_loop loop;
	struct dns_front *front;
	struct dns_back *back;
	struct dns_relay_parts parts;
	uint8_t frame[WIRE_DNS_QUERY_HEAD + DNS_MESSAGE_MAX];
};

/* ---- to the peer --------------------------------------------------------- */

static int
relay_query_cb(void *arg, uint32_t id, bool tcp, const struct in6_addr *server,
    const uint8_t *message, size_t len)
{
	struct dns_relay *r = arg;
	uint8_t *p = r->frame;

	wire_put_u32(p, id);
	wire_put_u32(p + 4, tcp ? IPPROTO_TCP : IPPROTO_UDP);
	memcpy(p + 8, server, 16);
	memcpy(p + WIRE_DNS_QUERY_HEAD, message, len);
	return r->parts.send(
	    r->parts.arg, WIRE_DNS_QUERY, p, WIRE_DNS_QUERY_HEAD + len);
}

static void
relay_answer_cb(void *arg, uint32_t id, const uint8_t *message, size_t len)
{
	struct dns_relay *r = arg;

	wire_put_u32(r->frame, id);
	if (len > 0)
		memcpy(r->frame + 4, message, len);
	/* lost when the peer does not read: it has a deadline */
	(void)r->parts.send(r->parts.arg, WIRE_DNS_ANSWER, r->frame, 4 + len);
}

/* ---- from the peer ------------------------------------------------------- */

static void
got_query(struct dns_relay *r, const uint8_t *p, size_t len)
{
	struct sockaddr_storage docker = {.ss_family = AF_INET};
	uint32_t protocol = wire_get_u32(p + 4);
	struct in6_addr server;

	memcpy(&server, p + 8, sizeof server);
	if (r->parts.docker_only) {
		((struct sockaddr_in *)&docker)->sin_addr.s_addr =
		    htonl(DNS_DOCKER_ADDRESS);
		dns_map(&docker, &server);
	}
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		relay_answer_cb(r, wire_get_u32(p), NULL, 0);
	else
		dns_back_ask(r->back, wire_get_u32(p), protocol == IPPROTO_TCP,
		    &server, p + WIRE_DNS_QUERY_HEAD,
		    len - WIRE_DNS_QUERY_HEAD);
}

static void
tick_while_busy(struct dns_relay *r)
{
	dns_loop_tick(
	    &r->loop, dns_front_busy(r->front) || dns_back_busy(r->back));
}

void
dns_relay_message(
    struct dns_relay *r, enum wire_type type, const uint8_t *p, size_t len)
{
	if (type == WIRE_DNS_QUERY)
		got_query(r, p, len);
	else if (type == WIRE_DNS_ANSWER)
		dns_front_answer(r->front, wire_get_u32(p), p + 4, len - 4);
	tick_while_busy(r);
}

/* ---- life ---------------------------------------------------------------- */

void
dns_relay_run(struct dns_relay *r)
{
	if (dns_loop_run(&r->loop)) {
		dns_front_tick(r->front, dns_now());
		dns_back_tick(r->back, dns_now());
	}
	tick_while_busy(r);
}

int
dns_relay_fd(const struct dns_relay *r)
{
	return r->loop.epfd;
}

struct dns_relay *
dns_relay_new(const struct dns_relay_parts *parts, struct err *err)
{
	static const struct dns_front_handler front_cb = {relay_query_cb};
	static const struct dns_back_handler back_cb = {relay_answer_cb};
	struct dns_relay *r = calloc(1, sizeof *r);

	if (r == NULL) {
		dns_listeners_close(parts->listeners, parts->n_listeners);
		err_set(err, "DNS relay: out of memory");
		return NULL;
	}
	r->parts = *parts;
	if (dns_loop_open(&r->loop, err) == -1) {
		dns_listeners_close(parts->listeners, parts->n_listeners);
		free(r);
		return NULL;
	}
	r->back =
	    dns_back_new(&r->loop, DNS_PORT, parts->wait_back, &back_cb, r);
	r->front = dns_front_new(&r->loop, parts->listeners, parts->n_listeners,
	    parts->wait_front, &front_cb, r);
	if (r->back == NULL || r->front == NULL) {
		err_set(err, "DNS relay: out of memory");
		dns_relay_free(r);
		return NULL;
	}
	return r;
}

void
dns_relay_free(struct dns_relay *r)
{
	if (r == NULL)
		return;
	dns_front_free(r->front);
	dns_back_free(r->back);
	dns_loop_close(&r->loop);
	free(r);
}
