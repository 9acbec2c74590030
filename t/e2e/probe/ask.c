/* SPDX-License-Identifier: Apache-2.0
 * A message sent to a server and its answer, by each kind of socket. */
#include "t/e2e/probe/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MESSAGE_MAX 70000
#define WAIT 20 /* seconds */

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static size_t
read_all(int fd, char *p, size_t enough)
{
	size_t n = 0;
	ssize_t r;

	while (n < enough && (r = read(fd, p + n, enough - n)) > 0)
		n += (size_t)r;
	return n;
}

/* mode "mapped": an IPv6 socket and the IPv4 address mapped. */
static socklen_t
make_address(union address *a, const char *mode, const char *ip, uint16_t port)
{
	char text[64];

	memset(a, 0, sizeof(*a));
	if (strcmp(mode, "mapped") != 0) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons(port);
		inet_pton(AF_INET, ip, &a->in.sin_addr);
		return sizeof(a->in);
	}
	snprintf(text, sizeof(text), "::ffff:%s", ip);
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_port = htons(port);
	inet_pton(AF_INET6, text, &a->in6.sin6_addr);
	return sizeof(a->in6);
}

static void
say_peer(const union address *a)
{
	char text[INET6_ADDRSTRLEN] = "";
	bool v6 = a->sa.sa_family == AF_INET6;

	inet_ntop(a->sa.sa_family,
	    v6 ? (const void *)&a->in6.sin6_addr : &a->in.sin_addr, text,
	    sizeof(text));
	fprintf(stderr, "from %s port %u\n", text,
	    ntohs(v6 ? a->in6.sin6_port : a->in.sin_port));
}

/* An answer over TCP has its length in front (RFC 1035, 4.2.2). */
static ssize_t
tcp_answer(int fd, char *p)
{
	size_t n = read_all(fd, p, 2);

	if (n < 2)
		return -1;
	n = (size_t)((uint8_t)p[0] << 8 | (uint8_t)p[1]);
	return read_all(fd, p + 2, n) == n ? (ssize_t)n + 2 : -1;
}

int
verb_ask(int argc, char **argv)
{
	static char p[MESSAGE_MAX];
	const char *mode = argc > 1 ? argv[1] : "udp";
	bool tcp = strcmp(mode, "tcp") == 0;
	const struct timeval wait = {WAIT, 0};
	union address to, from;
	socklen_t len = make_address(&to, mode, argc > 2 ? argv[2] : "",
	    (uint16_t)arg_number(argc, argv, 3, 53));
	int fd = socket(to.sa.sa_family, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	size_t n = read_all(STDIN_FILENO, p, sizeof(p));
	socklen_t from_len = sizeof(from);
	ssize_t r;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (tcp || strcmp(mode, "connected") == 0) {
		if (connect(fd, &to.sa, len) == -1 || send(fd, p, n, 0) == -1)
			return 1;
		r = tcp ? tcp_answer(fd, p) : recv(fd, p, sizeof(p), 0);
		getpeername(fd, &from.sa, &from_len);
	} else {
		sendto(fd, p, n, 0, &to.sa, len);
		r = recvfrom(fd, p, sizeof(p), 0, &from.sa, &from_len);
	}
	if (r == -1)
		return 1;
	say_peer(&from);
	return write(STDOUT_FILENO, p, (size_t)r) == r ? 0 : 1;
}
