/* SPDX-License-Identifier: Apache-2.0
 * The agent's end of the DNS relay. */
#include "guest-agent/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "guest-agent/loop.h"
#include "lib/channel.h"
#include "lib/cleanup.h"
#include "lib/dns_relay.h"

#define BACKLOG 64
#define TRIES 16 /* for a port that is free for both protocols */

struct dns {
	struct channel *ch;
	void (*kick)(void *arg);
	void *arg;
	uint16_t port;
	struct dns_relay *relay;
	struct loop_source src;
};

static int
open_socket(int type, uint16_t *port, struct err *err)
{
	AUTO_CLOSE int fd =
	    socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in sin = {.sin_family = AF_INET,
	    .sin_port = htons(*port),
	    .sin_addr.s_addr = htonl(DNS_DOCKER_ADDRESS)};
	socklen_t len = sizeof sin;
	const int on = 1;

	if (fd == -1 ||
	    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, len) == -1 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) == -1) ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		return err_sys(err, "DNS relay: port %u", *port);
	*port = ntohs(sin.sin_port);
	return take_fd(&fd);
}

/* The kernel chooses for UDP, and TCP may have it taken. */
static int
open_listener(struct dns_listener *l, uint16_t *port, struct err *err)
{
	for (int i = 0; i < TRIES; i++) {
		*port = 0;
		if ((l->udp = open_socket(SOCK_DGRAM, port, err)) == -1)
			return -1;
		if ((l->tcp = open_socket(SOCK_STREAM, port, err)) != -1)
			return 0;
		close(l->udp);
		if (errno != EADDRINUSE)
			break;
	}
	return -1;
}

static int
dns_send_cb(void *arg, enum wire_type type, const uint8_t *p, size_t len)
{
	struct dns *d = arg;

	return channel_send(d->ch, type, 0, p, len, NULL);
}

static void
dns_ready_cb(void *arg, uint32_t events)
{
	struct dns *d = arg;

	(void)events;
	dns_relay_run(d->relay);
	d->kick(d->arg);
}

struct dns *
dns_new(struct loop *loop, struct channel *ch, void (*kick)(void *arg),
    void *arg, struct err *err)
{
	struct dns_relay_parts parts = {.n_listeners = 1,
	    .wait_front = DNS_WAIT_DOCKER,
	    .wait_back = DNS_WAIT_UPSTREAM,
	    .send = dns_send_cb};
	struct dns *d = calloc(1, sizeof *d);

	if (d == NULL) {
		err_sys(err, "DNS relay");
		return NULL;
	}
	d->ch = ch;
	d->kick = kick;
	d->arg = arg;
	parts.arg = d;
	if (open_listener(parts.listeners, &d->port, err) == -1 ||
	    (d->relay = dns_relay_new(&parts, err)) == NULL) {
		free(d);
		return NULL;
	}
	d->src = (struct loop_source){
	    .fd = dns_relay_fd(d->relay), .cb = dns_ready_cb, .arg = d};
	loop_watch(loop, &d->src, EPOLLIN);
	return d;
}

uint16_t
dns_port(const struct dns *d)
{
	return d->port;
}

void
dns_message(struct dns *d, enum wire_type type, const uint8_t *p, size_t len)
{
	dns_relay_message(d->relay, type, p, len);
}
