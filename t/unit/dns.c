/* SPDX-License-Identifier: Apache-2.0
 * The DNS relay: clients, servers, what joins them, on the loopback. */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/dns_back.h"
#include "lib/dns_front.h"
#include "lib/dns_relay.h"
#include "supervisor/dns_name.h"
#include "t/tap.h"

#define WAIT 5000 /* ms */

static struct err e;

/* A query for "a.", its id in the first two bytes. */
#define QUERY(hi, lo)                                                          \
	{                                                                      \
		hi, lo, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1    \
	}
static const uint8_t query[] = QUERY(0x12, 0x34);
static const uint8_t second[] = QUERY(0x56, 0x78);

/* ---- sockets ------------------------------------------------------------- */

static int
open_socket(int type, struct sockaddr_in *at)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof *at;
	const int on = 1;

	*at = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)at, len) == -1 ||
	    (type == SOCK_STREAM && listen(fd, 4) == -1) ||
	    getsockname(fd, (struct sockaddr *)at, &len) == -1)
		perror("socket");
	return fd;
}

static int
client(int type, const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	const struct timeval wait = {WAIT / 1000, 0};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	if (connect(fd, (const struct sockaddr *)to, sizeof *to) == -1)
		perror("connect");
	return fd;
}

/* Runs the loop until *n reaches want, or nothing happens any more. */
static bool
run_until(struct dns_loop *l, const int *n, int want)
{
	struct pollfd p = {.fd = l->epfd, .events = POLLIN};

	while (*n < want && poll(&p, 1, WAIT) == 1)
		dns_loop_run(l);
	return *n >= want;
}

/* ---- clients ------------------------------------------------------------- */

struct asked {
	int n, refuse;
	uint32_t id;
	bool tcp;
	struct in6_addr server;
	uint8_t message[64];
	size_t len;
};

static int
on_query(void *arg, uint32_t id, bool tcp, const struct in6_addr *server,
    const uint8_t *message, size_t len)
{
	struct asked *a = arg;

	a->n++;
	a->id = id;
	a->tcp = tcp;
	a->server = *server;
	a->len = len;
	memcpy(a->message, message, len < 64 ? len : 64);
	return a->refuse ? -1 : 0;
}

static const struct dns_front_handler front_cb = {on_query};

struct front {
	struct dns_loop loop;
	struct asked asked;
	struct dns_front *front;
	struct sockaddr_in udp, tcp;
};

static void
front_open(struct front *f)
{
	struct dns_listener l;

	*f = (struct front){.front = NULL};
	dns_loop_open(&f->loop, &e);
	l.udp = open_socket(SOCK_DGRAM, &f->udp);
	l.tcp = open_socket(SOCK_STREAM, &f->tcp);
	f->front = dns_front_new(&f->loop, &l, 1, 1000, &front_cb, &f->asked);
}

static void
front_close(struct front *f)
{
	dns_front_free(f->front);
	dns_loop_close(&f->loop);
}

static void
test_front_udp(void)
{
	static const uint8_t answer[] = {
	    0x12, 0x34, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 'x'};
	static const uint8_t loopback[] = {
	    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
	uint8_t got[600];
	struct front f;
	int fd;

	front_open(&f);
	fd = client(SOCK_DGRAM, &f.udp);
	send(fd, query, sizeof query, 0);
	ok(run_until(&f.loop, &f.asked.n, 1), "UDP: a query is passed on");
	ok(!f.asked.tcp && f.asked.len == sizeof query &&
		memcmp(f.asked.message, query, sizeof query) == 0,
	    "UDP: as it came");
	ok(memcmp(&f.asked.server, loopback, 16) == 0,
	    "UDP: with the address that was asked");
	ok(dns_front_busy(f.front), "UDP: somebody waits");
	dns_front_answer(f.front, f.asked.id + 1, answer, sizeof answer);
	dns_front_answer(f.front, f.asked.id + 256, answer, sizeof answer);
	ok(dns_front_busy(f.front), "answers of others are nobody's");
	dns_front_answer(f.front, f.asked.id, answer, sizeof answer);
	is_int(recv(fd, got, sizeof got, 0), sizeof answer, "UDP: answered");
	ok(!dns_front_busy(f.front), "UDP: nobody waits any more");

	send(fd, query, sizeof query, 0);
	run_until(&f.loop, &f.asked.n, 2);
	dns_front_tick(f.front, dns_now() + 999999);
	is_int(recv(fd, got, sizeof got, 0), sizeof query,
	    "a deadline ends in an answer");
	ok(got[0] == 0x12 && got[1] == 0x34 && (got[2] & 0x80) != 0 &&
		(got[3] & 15) == 2 && memcmp(got + 12, query + 12, 7) == 0,
	    "SERVFAIL, with the question");
	f.asked.refuse = 1;
	send(fd, query, sizeof query, 0);
	run_until(&f.loop, &f.asked.n, 3);
	ok(recv(fd, got, sizeof got, 0) == sizeof query && (got[3] & 15) == 2,
	    "a query that cannot be passed on: SERVFAIL");

	send(fd, answer, sizeof answer, 0); /* QR is set */
	send(fd, query, 12, 0);
	send(fd, query, 3, 0);
	send(fd, query, sizeof query, 0);
	run_until(&f.loop, &f.asked.n, 4);
	is_int(f.asked.n, 4, "what is no query is dropped");
	close(fd);
	front_close(&f);
}

static void
test_front_bounds(void)
{
	struct front f;
	int fd;

	front_open(&f);
	fd = client(SOCK_DGRAM, &f.udp);
	for (int i = 1; i <= DNS_QUERIES_MAX; i++) {
		send(fd, query, sizeof query, 0);
		run_until(&f.loop, &f.asked.n, i);
	}
	is_int(f.asked.n, DNS_QUERIES_MAX, "so many queries at once");
	send(fd, query, sizeof query, 0);
	dns_loop_run(&f.loop);
	is_int(f.asked.n, DNS_QUERIES_MAX, "and no more");
	dns_front_answer(f.front, f.asked.id, NULL, 0);
	send(fd, query, sizeof query, 0);
	ok(run_until(&f.loop, &f.asked.n, DNS_QUERIES_MAX + 1),
	    "one less is room for one more");
	close(fd);
	front_close(&f);
}

static void
frame(uint8_t *p, const uint8_t *m, size_t len)
{
	p[0] = (uint8_t)(len >> 8);
	p[1] = (uint8_t)len;
	memcpy(p + 2, m, len);
}

static void
test_front_tcp(void)
{
	uint8_t two[2 * (2 + sizeof query)], got[64],
	    large[1000] = {1, 2, 0x80};
	struct front f;
	ssize_t total = 0, n;
	char byte;
	int fd;

	front_open(&f);
	fd = client(SOCK_STREAM, &f.tcp);
	frame(two, query, sizeof query);
	frame(two + 2 + sizeof query, second, sizeof second);
	send(fd, two, 3, 0);
	for (int i = 0; i < 20; i++)
		dns_loop_run(&f.loop);
	is_int(f.asked.n, 0, "TCP: half a query is none");
	send(fd, two + 3, sizeof two - 3, 0);
	ok(run_until(&f.loop, &f.asked.n, 1) && f.asked.tcp &&
		f.asked.message[0] == 0x12,
	    "TCP: the first query");
	for (int i = 0; i < 20; i++)
		dns_loop_run(&f.loop);
	is_int(f.asked.n, 1, "TCP: the second has to wait");
	dns_front_answer(f.front, f.asked.id, large, sizeof large);
	ok(f.asked.n == 2 && f.asked.message[0] == 0x56,
	    "TCP: until the first is answered");
	while (total < 1002 && (n = recv(fd, large, sizeof large, 0)) > 0)
		total += n;
	is_int(total, 1002, "TCP: an answer with its length in front");
	dns_front_answer(f.front, f.asked.id, NULL, 0);
	ok(recv(fd, got, sizeof got, 0) == 2 + sizeof second &&
		got[2] == 0x56 && (got[5] & 15) == 2,
	    "TCP: SERVFAIL");
	dns_front_tick(f.front, dns_now() + 999999);
	is_int(recv(fd, &byte, 1, 0), 0, "TCP: an idle connection is closed");
	close(fd);
	fd = client(SOCK_STREAM, &f.tcp);
	frame(two, query, 5);
	send(fd, two, 7, 0);
	dns_loop_run(&f.loop);
	dns_loop_run(&f.loop);
	is_int(recv(fd, &byte, 1, 0), 0, "TCP: what is no query ends it");
	close(fd);
	front_close(&f);
}

/* ---- servers ------------------------------------------------------------- */

struct answered {
	int n;
	uint32_t id;
	size_t len;
	uint8_t message[64];
};

static void
on_answer(void *arg, uint32_t id, const uint8_t *message, size_t len)
{
	struct answered *a = arg;

	a->n++;
	a->id = id;
	a->len = len;
	if (len > 0)
		memcpy(a->message, message, len < 64 ? len : 64);
}

static const struct dns_back_handler back_cb = {on_answer};

static void
loopback_address(struct in6_addr *a)
{
	struct sockaddr_storage ss = {.ss_family = AF_INET};

	((struct sockaddr_in *)&ss)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	dns_map(&ss, a);
}

static void
test_back_udp(void)
{
	struct answered got = {0};
	struct sockaddr_in at, from;
	socklen_t len = sizeof from;
	struct dns_loop l;
	struct dns_back *b;
	struct in6_addr server;
	uint8_t m[64];
	int fd = open_socket(SOCK_DGRAM, &at);

	dns_loop_open(&l, &e);
	b = dns_back_new(&l, ntohs(at.sin_port), 1000, &back_cb, &got);
	loopback_address(&server);
	dns_back_ask(b, 7, false, &server, query, sizeof query);
	poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, WAIT);
	is_int(recvfrom(fd, m, sizeof m, 0, (struct sockaddr *)&from, &len),
	    sizeof query, "a server is asked by UDP");
	m[1]++;
	sendto(fd, m, sizeof query, 0, (struct sockaddr *)&from, len);
	m[1]--;
	m[2] |= 0x80;
	sendto(fd, m, sizeof query, 0, (struct sockaddr *)&from, len);
	ok(run_until(&l, &got.n, 1) && got.id == 7 && got.len == sizeof query &&
		(got.message[2] & 0x80) != 0,
	    "its answer, and no other, is taken");
	dns_back_ask(b, 8, false, &server, query, sizeof query);
	dns_back_tick(b, dns_now() + 999999);
	ok(got.n == 2 && got.id == 8 && got.len == 0, "a deadline: no answer");
	close(fd);
	dns_back_ask(b, 9, false, &server, query, sizeof query);
	ok(run_until(&l, &got.n, 3) && got.len == 0,
	    "a port that nobody listens at: no answer, at once");
	dns_back_ask(b, 10, true, &server, query, sizeof query);
	ok(run_until(&l, &got.n, 4) && got.len == 0, "the same by TCP");
	ok(!dns_back_busy(b), "nothing is left under way");
	for (int i = 0; i < DNS_QUERIES_MAX + 5; i++) {
		fd = i == 0 ? open_socket(SOCK_DGRAM, &at) : fd;
		if (i == 0) {
			dns_back_free(b);
			b = dns_back_new(
			    &l, ntohs(at.sin_port), 1000, &back_cb, &got);
		}
		dns_back_ask(b, 100, false, &server, query, sizeof query);
	}
	is_int(got.n, 4 + 5, "more than can be under way: no answer, at once");
	dns_back_free(b);
	dns_loop_close(&l);
	close(fd);
}

static void
test_back_tcp(void)
{
	struct answered got = {0};
	struct sockaddr_in at;
	struct dns_loop l;
	struct dns_back *b;
	struct in6_addr server;
	uint8_t m[64];
	int fd = open_socket(SOCK_STREAM, &at), c;
	size_t n = 0;
	ssize_t r;

	dns_loop_open(&l, &e);
	b = dns_back_new(&l, ntohs(at.sin_port), 1000, &back_cb, &got);
	loopback_address(&server);
	dns_back_ask(b, 7, true, &server, query, sizeof query);
	poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, WAIT);
	c = accept(fd, NULL, NULL);
	dns_loop_run(&l);
	while (n < 2 + sizeof query && (r = recv(c, m + n, 64 - n, 0)) > 0)
		n += (size_t)r;
	ok(n == 2 + sizeof query && m[1] == sizeof query,
	    "a server is asked by TCP");
	send(c, m, 4, 0);
	dns_loop_run(&l);
	send(c, m + 4, n - 4, 0);
	ok(run_until(&l, &got.n, 1) && got.len == sizeof query,
	    "an answer in two parts");
	close(c);
	dns_back_ask(b, 8, true, &server, query, sizeof query);
	poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, WAIT);
	c = accept(fd, NULL, NULL);
	close(c);
	ok(run_until(&l, &got.n, 2) && got.len == 0,
	    "a connection that is closed: no answer");
	dns_back_free(b);
	dns_loop_close(&l);
	close(fd);
}

/* ---- frames -------------------------------------------------------------- */

struct sent {
	int n, refuse;
	enum wire_type type;
	uint8_t p[256];
	size_t len;
};

static int
on_send(void *arg, enum wire_type type, const uint8_t *p, size_t len)
{
	struct sent *s = arg;

	s->n++;
	s->type = type;
	s->len = len;
	memcpy(s->p, p, len < sizeof s->p ? len : sizeof s->p);
	return s->refuse ? -1 : 0;
}

static void
test_relay(void)
{
	uint8_t p[WIRE_DNS_QUERY_HEAD + sizeof query] = {
	    0, 0, 0, 9, 0, 0, 0, 99};
	struct sent sent = {0};
	struct sockaddr_in at;
	struct dns_relay_parts parts = {.n_listeners = 1,
	    .wait_front = 1000,
	    .wait_back = 1000,
	    .docker_only = true,
	    .send = on_send,
	    .arg = &sent};
	struct dns_relay *r;
	int fd;

	parts.listeners[0] =
	    (struct dns_listener){open_socket(SOCK_DGRAM, &at), -1};
	r = dns_relay_new(&parts, &e);
	fd = client(SOCK_DGRAM, &at);
	send(fd, query, sizeof query, 0);
	poll(
	    &(struct pollfd){.fd = dns_relay_fd(r), .events = POLLIN}, 1, WAIT);
	dns_relay_run(r);
	ok(sent.n == 1 && sent.type == WIRE_DNS_QUERY &&
		sent.len == WIRE_DNS_QUERY_HEAD + sizeof query &&
		wire_get_u32(sent.p + 4) == IPPROTO_UDP && sent.p[20] == 127,
	    "a client's query becomes a frame");
	sent.p[4] = 0x12;
	dns_relay_message(r, WIRE_DNS_ANSWER, sent.p, 4 + 13);
	ok(recv(fd, p + 32, 8, 0) > 0, "the frame of its answer an answer");
	memset(p, 0, sizeof p);
	p[3] = 9;
	p[7] = 99;
	memcpy(p + WIRE_DNS_QUERY_HEAD, query, sizeof query);
	dns_relay_message(r, WIRE_DNS_QUERY, p, sizeof p);
	ok(sent.n == 2 && sent.type == WIRE_DNS_ANSWER && sent.len == 4 &&
		sent.p[3] == 9,
	    "a protocol that is none is answered by nothing");
	dns_relay_message(r, WIRE_DNS_ANSWER, p, 4);
	is_int(sent.n, 2, "an answer to nobody is dropped");
	close(fd);
	dns_relay_free(r);
}

/* ---- names of servers ---------------------------------------------------- */

static void
test_name(void)
{
	static const uint8_t good[] = {0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0,
	    1, 'a', 0, 0, 1, 0, 1, 0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 3, 1,
	    'b', 0, 0xc0, 31, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 1, 2, 3};
	uint8_t bad[sizeof good];
	char text[DNS_NAME_TEXT] = "";
	bool survived = true;

	ok(dns_name_parse(good, sizeof good, text),
	    "an answer with an address");
	is_str(text, "10.1.2.3", "behind a CNAME");
	for (size_t n = 0; n < sizeof good; n++)
		survived = survived && !dns_name_parse(good, n, text);
	ok(survived, "cut short at any place it has none");
	for (size_t i = 0; i < sizeof good; i++)
		for (int v = 0; v < 256; v++) {
			memcpy(bad, good, sizeof bad);
			bad[i] = (uint8_t)v;
			(void)dns_name_parse(bad, sizeof bad, text);
		}
	ok(true, "each byte with each value is read within its bounds");
}

int
main(void)
{
	test_front_udp();
	test_front_bounds();
	test_front_tcp();
	test_back_udp();
	test_back_tcp();
	test_relay();
	test_name();
	return done_testing();
}
