/* SPDX-License-Identifier: Apache-2.0
 * The half of the DNS relay that clients talk to. */
#include "lib/dns_front.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/buf.h"

#define TCP_MAX (2 + DNS_MESSAGE_MAX)
#define CONNECTIONS_MAX 32
#define IDLE 10000 /* ms of a connection without a query */
/* A SERVFAIL repeats the question when the query is no longer than this. */
#define KEEP 512

struct connection {
	struct dns_source src; /* must be first; fd -1: free */
	struct dns_front *owner;
	struct in6_addr server; /* whom the client takes us for */
	bool asking;		/* one query at a time */
	uint64_t deadline;
	struct buf in, out;
};

struct udp {
	struct dns_source src; /* must be first */
	struct dns_front *owner;
};

/* A query whose answer is awaited. */
struct query {
	bool waiting;
	uint32_t id;
	uint64_t deadline;
	struct connection *connection; /* NULL: UDP */
	struct udp *udp;
	struct sockaddr_storage client;
	socklen_t client_len;
	struct in6_addr server;
	uint8_t kept[KEEP];
	size_t len; /* of the whole message */
};

struct dns_front {
	struct dns_loop *loop;
	unsigned wait;
	struct dns_front_handler handler;
	void *arg;
	uint32_t generation;
	size_t n_queries, n_connections;
	struct udp udp[DNS_LISTENERS_MAX], tcp[DNS_LISTENERS_MAX];
	struct connection connections[CONNECTIONS_MAX];
	struct query queries[DNS_QUERIES_MAX];
	uint8_t chunk[DNS_MESSAGE_MAX];
};

/* ---- one UDP message, with the address that it was sent to --------------- */

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static void
server_of(struct msghdr *m, struct in6_addr *server)
{
	struct sockaddr_storage mapped = {.ss_family = AF_INET};
	struct in6_pktinfo v6;
	struct in_pktinfo v4;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
	     c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof v4);
			((struct sockaddr_in *)&mapped)->sin_addr = v4.ipi_addr;
			dns_map(&mapped, server);
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof v6);
			*server = v6.ipi6_addr;
		}
	}
}

static ssize_t
udp_receive(int fd, uint8_t *p, struct query *q)
{
	struct iovec iov = {.iov_base = p, .iov_len = DNS_MESSAGE_MAX};
	union control control;
	struct msghdr m = {.msg_name = &q->client,
	    .msg_namelen = sizeof q->client,
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.buf,
	    .msg_controllen = sizeof control.buf};
	ssize_t n = recvmsg(fd, &m, 0);

	if (n == -1)
		return -1;
	q->client_len = m.msg_namelen;
	memset(&q->server, 0, sizeof q->server);
	server_of(&m, &q->server);
	return n;
}

/* The answer comes from the address that was asked. */
static void
udp_send(const struct query *q, const uint8_t *message, size_t len)
{
	struct iovec iov = {
	    .iov_base = (void *)(uintptr_t)message, .iov_len = len};
	union control control = {.buf = {0}};
	struct msghdr m = {.msg_name = (void *)(uintptr_t)&q->client,
	    .msg_namelen = q->client_len,
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.buf,
	    .msg_controllen = CMSG_SPACE(sizeof(struct in6_pktinfo))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (IN6_IS_ADDR_V4MAPPED(&q->server)) {
		struct in_pktinfo v4 = {.ipi_ifindex = 0};

		memcpy(&v4.ipi_spec_dst, q->server.s6_addr + 12, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof v4);
		m.msg_controllen = CMSG_SPACE(sizeof v4);
		memcpy(CMSG_DATA(c), &v4, sizeof v4);
	} else {
		struct in6_pktinfo v6 = {.ipi6_addr = q->server};

		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof v6);
		memcpy(CMSG_DATA(c), &v6, sizeof v6);
	}
	/* as on any network: who misses it asks again */
	(void)!sendmsg(q->udp->src.fd, &m, MSG_NOSIGNAL);
}

/* ---- connections --------------------------------------------------------- */

static void
connection_close(struct connection *c)
{
	struct dns_front *f = c->owner;

	for (size_t i = 0; i < DNS_QUERIES_MAX; i++)
		if (f->queries[i].waiting && f->queries[i].connection == c) {
			f->queries[i].waiting = false;
			f->n_queries--;
		}
	dns_close(f->loop, &c->src);
	buf_free(&c->in);
	buf_free(&c->out);
	f->n_connections--;
}

/* -1: the connection is over. */
static int
connection_flush(struct connection *c)
{
	ssize_t n;

	while (buf_len(&c->out) > 0) {
		n = send(c->src.fd, buf_data(&c->out), buf_len(&c->out),
		    MSG_NOSIGNAL);
		if (n == -1)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		buf_drain(&c->out, (size_t)n);
	}
	return 0;
}

/* Reads only while there is neither a query nor an answer under way. */
static int
connection_watch(struct connection *c)
{
	uint32_t events = 0;

	if (buf_len(&c->out) > 0)
		events = EPOLLOUT;
	else if (!c->asking)
		events = EPOLLIN;
	return dns_watch(c->owner->loop, &c->src, events);
}

/* ---- queries ------------------------------------------------------------- */

/* Turns the query into a failure: QR and RA, RCODE 2 (RFC 1035, 4.1.1). */
static size_t
make_servfail(const struct query *q, uint8_t p[KEEP])
{
	size_t len = q->len <= KEEP ? q->len : DNS_HEADER;

	memcpy(p, q->kept, len);
	p[2] |= 0x80;
	p[3] = (uint8_t)((p[3] & 0x10) | 0x80 | 2);
	if (len == DNS_HEADER)
		memset(p + 4, 0, 8);
	return len;
}

static int
connection_answer(struct connection *c, const uint8_t *message, size_t len)
{
	const uint8_t head[2] = {(uint8_t)(len >> 8), (uint8_t)len};

	c->asking = false;
	c->deadline = dns_now() + IDLE;
	if (buf_append(&c->out, head, 2) == -1 ||
	    buf_append(&c->out, message, len) == -1)
		return -1;
	return connection_flush(c);
}

static void connection_serve(struct connection *c);

static void
reply(struct dns_front *f, struct query *q, const uint8_t *message, size_t len)
{
	uint8_t failure[KEEP];

	q->waiting = false;
	f->n_queries--;
	if (len < DNS_HEADER) {
		len = make_servfail(q, failure);
		message = failure;
	}
	if (q->connection == NULL)
		udp_send(q, message, len);
	else if (connection_answer(q->connection, message, len) == -1)
		connection_close(q->connection);
	else
		connection_serve(q->connection);
}

void
dns_front_answer(
    struct dns_front *f, uint32_t id, const uint8_t *message, size_t len)
{
	struct query *q = &f->queries[id % DNS_QUERIES_MAX];

	if (q->waiting && q->id == id)
		reply(f, q, message, len);
}

/* A message that can be a query: longer than its header, QR is 0. */
static bool
is_query(const uint8_t *message, size_t len)
{
	return len > DNS_HEADER && (message[2] & 0x80) == 0;
}

static struct query *
find_free(struct dns_front *f)
{
	for (uint32_t i = 0; i < DNS_QUERIES_MAX; i++)
		if (!f->queries[i].waiting) {
			f->queries[i].id =
			    f->generation++ * DNS_QUERIES_MAX + i;
			return &f->queries[i];
		}
	return NULL;
}

/* -1: q is over, and not answered. */
static int
ask(struct dns_front *f, struct query *q, const uint8_t *message, size_t len)
{
	q->waiting = true;
	f->n_queries++;
	q->deadline = dns_now() + f->wait;
	q->len = len;
	memcpy(q->kept, message, len < KEEP ? len : KEEP);
	return f->handler.query(
	    f->arg, q->id, q->connection != NULL, &q->server, message, len);
}

static void
front_udp_cb(struct dns_source *s, uint32_t events)
{
	struct udp *u = (struct udp *)s;
	struct dns_front *f = u->owner;
	struct query *q = find_free(f);
	ssize_t n;

	(void)events;
	if (q == NULL) { /* too many: this one is lost on the way */
		(void)!recv(s->fd, f->chunk, sizeof f->chunk, 0);
		return;
	}
	n = udp_receive(s->fd, f->chunk, q);
	if (n == -1 || !is_query(f->chunk, (size_t)n))
		return;
	q->connection = NULL;
	q->udp = u;
	if (ask(f, q, f->chunk, (size_t)n) == -1)
		reply(f, q, NULL, 0);
}

/* Takes the next whole query that was read. -1: the connection is over. */
static int
connection_take(struct connection *c)
{
	struct dns_front *f = c->owner;
	const uint8_t *p = buf_data(&c->in);
	struct query *q;
	size_t len;

	if (buf_len(&c->in) < 2)
		return 0;
	len = (size_t)(p[0] << 8 | p[1]);
	if (buf_len(&c->in) < 2 + len)
		return 0;
	if (!is_query(p + 2, len) || (q = find_free(f)) == NULL)
		return -1;
	q->connection = c;
	q->server = c->server;
	c->asking = true;
	c->deadline = UINT64_MAX; /* the query has one */
	if (ask(f, q, p + 2, len) == -1)
		return -1;
	buf_drain(&c->in, 2 + len);
	return 0;
}

static void
connection_serve(struct connection *c)
{
	if ((!c->asking && buf_len(&c->out) == 0 && connection_take(c) == -1) ||
	    connection_watch(c) == -1)
		connection_close(c);
}

static void
front_connection_cb(struct dns_source *s, uint32_t events)
{
	struct connection *c = (struct connection *)s;
	size_t room = TCP_MAX - buf_len(&c->in);
	ssize_t n;

	if (events & EPOLLOUT) {
		if (connection_flush(c) == -1)
			connection_close(c);
		else
			connection_serve(c);
		return;
	}
	n = recv(s->fd, c->owner->chunk,
	    room < sizeof c->owner->chunk ? room : sizeof c->owner->chunk, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || buf_append(&c->in, c->owner->chunk, (size_t)n) == -1)
		connection_close(c);
	else
		connection_serve(c);
}

static void
front_accept_cb(struct dns_source *s, uint32_t events)
{
	struct dns_front *f = ((struct udp *)s)->owner;
	struct connection *c = f->connections;
	struct sockaddr_storage local;
	socklen_t len = sizeof local;
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd == -1)
		return;
	if (f->n_connections == CONNECTIONS_MAX ||
	    getsockname(fd, (struct sockaddr *)&local, &len) == -1) {
		close(fd);
		return;
	}
	while (c->src.fd != -1)
		c++;
	*c = (struct connection){.src = {.fd = fd, .cb = front_connection_cb},
	    .owner = f,
	    .deadline = dns_now() + IDLE};
	dns_map(&local, &c->server);
	buf_init(&c->in, TCP_MAX);
	buf_init(&c->out, TCP_MAX);
	f->n_connections++;
	connection_serve(c);
}

/* ---- making -------------------------------------------------------------- */

static void
serve(struct dns_front *f, struct udp *u, int fd,
    void (*cb)(struct dns_source *, uint32_t))
{
	*u = (struct udp){.src = {.fd = fd, .cb = cb}, .owner = f};
	if (fd != -1)
		dns_watch(f->loop, &u->src, EPOLLIN);
}

void
dns_listeners_close(const struct dns_listener *listeners, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (listeners[i].udp != -1)
			close(listeners[i].udp);
		if (listeners[i].tcp != -1)
			close(listeners[i].tcp);
	}
}

struct dns_front *
dns_front_new(struct dns_loop *loop, const struct dns_listener *listeners,
    size_t n, unsigned wait, const struct dns_front_handler *handler, void *arg)
{
	static const struct dns_listener none = {-1, -1};
	struct dns_front *f = calloc(1, sizeof *f);

	if (f == NULL) {
		dns_listeners_close(listeners, n);
		return NULL;
	}
	f->loop = loop;
	f->wait = wait;
	f->handler = *handler;
	f->arg = arg;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		f->connections[i].src.fd = -1;
	for (size_t i = 0; i < DNS_LISTENERS_MAX; i++) {
		const struct dns_listener *l = i < n ? &listeners[i] : &none;

		serve(f, &f->udp[i], l->udp, front_udp_cb);
		serve(f, &f->tcp[i], l->tcp, front_accept_cb);
	}
	return f;
}

void
dns_front_free(struct dns_front *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (f->connections[i].src.fd != -1)
			connection_close(&f->connections[i]);
	for (size_t i = 0; i < DNS_LISTENERS_MAX; i++) {
		dns_close(f->loop, &f->udp[i].src);
		dns_close(f->loop, &f->tcp[i].src);
	}
	free(f);
}

bool
dns_front_tick(struct dns_front *f, uint64_t now)
{
	for (size_t i = 0; f->n_queries > 0 && i < DNS_QUERIES_MAX; i++)
		if (f->queries[i].waiting && now >= f->queries[i].deadline)
			reply(f, &f->queries[i], NULL, 0);
	for (size_t i = 0; f->n_connections > 0 && i < CONNECTIONS_MAX; i++)
		if (f->connections[i].src.fd != -1 &&
		    now >= f->connections[i].deadline)
			connection_close(&f->connections[i]);
	return dns_front_busy(f);
}

bool
dns_front_busy(const struct dns_front *f)
{
	return f->n_queries + f->n_connections > 0;
}
