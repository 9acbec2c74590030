/* SPDX-License-Identifier: Apache-2.0
 * The half of the DNS relay that asks servers. */
#include "lib/dns_back.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/buf.h"

/* Over TCP each message has its length in front (RFC 1035, 4.2.2). */
#define TCP_MAX (2 + DNS_MESSAGE_MAX)

struct ask {
	struct dns_source src; /* must be first; fd -1: free */
	struct dns_back *owner;
	bool tcp;
	uint32_t id;
	uint8_t dns_id[2];
	uint64_t deadline;
	struct buf out, in; /* TCP */
};

struct dns_back {
	struct dns_loop *loop;
	uint16_t port;
	unsigned wait;
	struct dns_back_handler handler;
	void *arg;
	size_t n; /* under way */
	struct ask asks[DNS_QUERIES_MAX];
	uint8_t chunk[DNS_MESSAGE_MAX];
};

struct dns_back *
dns_back_new(struct dns_loop *loop, uint16_t port, unsigned wait,
    const struct dns_back_handler *handler, void *arg)
{
	struct dns_back *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->loop = loop;
	b->port = port;
	b->wait = wait;
	b->handler = *handler;
	b->arg = arg;
	for (size_t i = 0; i < DNS_QUERIES_MAX; i++)
		b->asks[i].src.fd = -1;
	return b;
}

static void
release(struct ask *a)
{
	dns_close(a->owner->loop, &a->src);
	buf_free(&a->out);
	buf_free(&a->in);
	a->owner->n--;
}

void
dns_back_free(struct dns_back *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < DNS_QUERIES_MAX; i++)
		if (b->asks[i].src.fd != -1)
			release(&b->asks[i]);
	free(b);
}

static void
finish(struct ask *a, const uint8_t *message, size_t len)
{
	struct dns_back *b = a->owner;

	b->handler.answer(b->arg, a->id, message, len);
	release(a);
}

/* ---- UDP ----------------------------------------------------------------- */

static void
back_udp_cb(struct dns_source *s, uint32_t events)
{
	struct ask *a = (struct ask *)s;
	uint8_t *p = a->owner->chunk;
	ssize_t n = recv(s->fd, p, DNS_MESSAGE_MAX, 0);

	(void)events;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1)
		finish(a, NULL, 0);
	else if (n >= DNS_HEADER && memcmp(p, a->dns_id, 2) == 0)
		finish(a, p, (size_t)n);
	/* else somebody guesses; the answer is still to come */
}

/* ---- TCP ----------------------------------------------------------------- */

/* -1: the connection is over. */
static int
tcp_write(struct ask *a)
{
	ssize_t n;

	while (buf_len(&a->out) > 0) {
		n = send(a->src.fd, buf_data(&a->out), buf_len(&a->out),
		    MSG_NOSIGNAL);
		if (n == -1)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		buf_drain(&a->out, (size_t)n);
	}
	return dns_watch(a->owner->loop, &a->src, EPOLLIN);
}

/* The bytes of the whole message at the front of b; 0: not yet whole. */
static size_t
tcp_whole(const struct buf *b)
{
	const uint8_t *p = buf_data(b);
	size_t len;

	if (buf_len(b) < 2)
		return 0;
	len = (size_t)(p[0] << 8 | p[1]);
	return buf_len(b) >= 2 + len ? 2 + len : 0;
}

static void
back_tcp_cb(struct dns_source *s, uint32_t events)
{
	struct ask *a = (struct ask *)s;
	uint8_t *p = a->owner->chunk;
	size_t whole;
	ssize_t n;

	if ((events & EPOLLOUT) && tcp_write(a) == -1) {
		finish(a, NULL, 0);
		return;
	}
	if ((events & ~(uint32_t)EPOLLOUT) == 0)
		return;
	n = recv(s->fd, p, DNS_MESSAGE_MAX, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || buf_append(&a->in, p, (size_t)n) == -1) {
		finish(a, NULL, 0);
	} else if ((whole = tcp_whole(&a->in)) > 0) {
		if (whole < 2 + DNS_HEADER)
			finish(a, NULL, 0);
		else
			finish(a, buf_data(&a->in) + 2, whole - 2);
	}
}

/* ---- asking -------------------------------------------------------------- */

static int
begin_udp(struct ask *a, const uint8_t *message, size_t len)
{
	if (send(a->src.fd, message, len, MSG_NOSIGNAL) != (ssize_t)len)
		return -1;
	a->src.cb = back_udp_cb;
	return dns_watch(a->owner->loop, &a->src, EPOLLIN);
}

static int
begin_tcp(struct ask *a, const uint8_t *message, size_t len)
{
	const uint8_t head[2] = {(uint8_t)(len >> 8), (uint8_t)len};

	if (buf_append(&a->out, head, 2) == -1 ||
	    buf_append(&a->out, message, len) == -1)
		return -1;
	a->src.cb = back_tcp_cb;
	return dns_watch(a->owner->loop, &a->src, EPOLLOUT);
}

static int
begin(struct ask *a, const struct in6_addr *server, const uint8_t *message,
    size_t len)
{
	struct sockaddr_storage to;
	socklen_t n = dns_sockaddr(server, a->owner->port, &to);

	if (connect(a->src.fd, (struct sockaddr *)&to, n) == -1 &&
	    errno != EINPROGRESS)
		return -1;
	return a->tcp ? begin_tcp(a, message, len) : begin_udp(a, message, len);
}

static struct ask *
find_free(struct dns_back *b)
{
	for (size_t i = 0; i < DNS_QUERIES_MAX; i++)
		if (b->asks[i].src.fd == -1)
			return &b->asks[i];
	return NULL;
}

void
dns_back_ask(struct dns_back *b, uint32_t id, bool tcp,
    const struct in6_addr *server, const uint8_t *message, size_t len)
{
	int family = IN6_IS_ADDR_V4MAPPED(server) ? AF_INET : AF_INET6;
	int type = tcp ? SOCK_STREAM : SOCK_DGRAM;
	struct ask *a = find_free(b);
	int fd = -1;

	if (a != NULL && len >= DNS_HEADER && len <= DNS_MESSAGE_MAX)
		fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		b->handler.answer(b->arg, id, NULL, 0);
		return;
	}
	*a = (struct ask){.src = {.fd = fd},
	    .owner = b,
	    .tcp = tcp,
	    .id = id,
	    .deadline = dns_now() + b->wait};
	memcpy(a->dns_id, message, 2);
	buf_init(&a->out, TCP_MAX);
	buf_init(&a->in, 2 * TCP_MAX);
	b->n++;
	if (begin(a, server, message, len) == -1)
		finish(a, NULL, 0);
}

bool
dns_back_tick(struct dns_back *b, uint64_t now)
{
	for (size_t i = 0; b->n > 0 && i < DNS_QUERIES_MAX; i++)
		if (b->asks[i].src.fd != -1 && now >= b->asks[i].deadline)
			finish(&b->asks[i], NULL, 0);
	return b->n > 0;
}

bool
dns_back_busy(const struct dns_back *b)
{
	return b->n > 0;
}
