/* SPDX-License-Identifier: Apache-2.0
 * Many sessions of runq-exec at once, and many who never get one:
 *
 *	exec-load sessions N BYTES COMMAND...
 *		N processes of COMMAND, which are to give back what they are
 *		given (runq-exec -i NAME cat), BYTES each. The first one's
 *		output is read when all others have ended
 *	exec-load stuck N COMMAND...
 *		N processes whose output nobody reads and whose stdin is filled
 *		as far as it goes; then they stay until our own stdin ends
 *	exec-load strangers N ID CERT KEY
 *		N connections to the container ID: one third never finish the
 *		handshake, one third send garbage, one third show CERT, which
 *		the container must refuse
 *
 * Prints "name value" lines; the caller judges. Times are ms. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/rexec.h"

#define SESSIONS_MAX 1000
#define PATIENCE 120000 /* ms in which something has to move */
#define SHIFT 977	/* session i sends the pattern from i * SHIFT on */
#define PORTION 65536
/* A session is stuck when more went than fits into the pipe to its client, and
 * then nothing for so long, ms. */
#define PIPE 65536
#define SETTLED 2000
#define OPEN_MAX_AT_ONCE 400

struct session {
	pid_t pid;
	int in, out; /* -1: over */
	size_t sent, got;
	bool wrong;
	long long first, done; /* when; 0: not yet */
};

static struct session sessions[SESSIONS_MAX];
static char *pattern;
static int ended;     /* sessions that have */
static int overtaken; /* the most that had, before another's first byte */

static long long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "exec-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
shut(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
start(struct session *s, char **command)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(out, O_CLOEXEC) == -1)
		die("pipe");
	if ((s->pid = fork()) == -1)
		die("fork");
	if (s->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		signal(SIGPIPE, SIG_DFL);
		execvp(command[0], command);
		die(command[0]);
	}
	close(in[0]);
	close(out[1]);
	s->in = in[1];
	s->out = out[0];
	fcntl(s->in, F_SETFL, O_NONBLOCK);
	fcntl(s->out, F_SETFL, O_NONBLOCK);
}

static void
start_all(int n, char **command)
{
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < n; i++)
		start(&sessions[i], command);
}

/* A portion of `bytes` in all. */
static void
give(struct session *s, const char *data, size_t bytes)
{
	size_t n = bytes - s->sent;
	ssize_t r;

	r = write(s->in, data + s->sent, n < PORTION ? n : PORTION);
	if (r > 0)
		s->sent += (size_t)r;
	if ((r == -1 && errno != EAGAIN) || s->sent == bytes)
		shut(&s->in);
}

static void
take(struct session *s, const char *data, size_t bytes)
{
	static char chunk[PORTION];
	ssize_t n = read(s->out, chunk, sizeof chunk);

	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		shut(&s->out);
		s->done = now_ms();
		ended++;
		return;
	}
	if (s->first == 0) {
		s->first = now_ms();
		overtaken = ended > overtaken ? ended : overtaken;
	}
	if (s->got + (size_t)n > bytes ||
	    memcmp(chunk, data + s->got, (size_t)n) != 0)
		s->wrong = true;
	else
		s->got += (size_t)n;
}

/* Moves the bytes of all sessions until those from `first` on have ended. */
static void
move(int first, int n, size_t bytes)
{
	struct pollfd p[2 * SESSIONS_MAX];
	int left;

	for (;;) {
		left = 0;
		for (int i = 0; i < n; i++) {
			p[2 * i] = (struct pollfd){sessions[i].in, POLLOUT, 0};
			p[2 * i + 1] = (struct pollfd){
			    i < first ? -1 : sessions[i].out, POLLIN, 0};
			left += i >= first && sessions[i].out != -1;
		}
		if (left == 0)
			return;
		if (poll(p, 2 * (nfds_t)n, PATIENCE) <= 0) {
			printf("starving %d\n", left);
			return;
		}
		for (int i = 0; i < n; i++) {
			const char *data = pattern + i * SHIFT;

			if (p[2 * i].revents != 0)
				give(&sessions[i], data, bytes);
			if (p[2 * i + 1].revents != 0)
				take(&sessions[i], data, bytes);
		}
	}
}

static int
by_size(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

/* The least, the middle and the most, of all but the first. */
static void
print_times(const char *name, int n, long long since, bool first)
{
	static long long t[SESSIONS_MAX];

	for (int i = 1; i < n; i++)
		t[i - 1] =
		    (first ? sessions[i].first : sessions[i].done) - since;
	qsort(t, (size_t)n - 1, sizeof t[0], by_size);
	printf("%s %lld %lld %lld\n", name, t[0], t[(n - 1) / 2], t[n - 2]);
}

static int
run_sessions(int n, size_t bytes, char **command)
{
	long long begin = now_ms();
	int good = 0, status;

	pattern = malloc(bytes + (size_t)n * SHIFT);
	if (pattern == NULL)
		die("malloc");
	for (size_t i = 0; i < bytes + (size_t)n * SHIFT; i++)
		pattern[i] = (char)(i * 2654435761u >> 13);
	start_all(n, command);
	move(1, n, bytes);
	print_times("first", n, begin, true);
	print_times("done", n, begin, false);
	printf("overtaken %d\n", overtaken);
	printf("held %d\n", sessions[0].out != -1 && sessions[0].got == 0);
	fflush(stdout);
	move(0, 1, bytes);
	for (int i = 0; i < n; i++) {
		const struct session *s = &sessions[i];

		kill(s->pid, s->out == -1 ? 0 : SIGKILL);
		if (waitpid(s->pid, &status, 0) == s->pid && status == 0 &&
		    s->got == bytes && !s->wrong)
			good++;
		else
			printf(
			    "bad %d: status %#x, %zu bytes sent, %zu came%s\n",
			    i, (unsigned)status, s->sent, s->got,
			    s->wrong ? ", then others" : "");
	}
	printf("good %d\n", good);
	return 0;
}

/* Those that had not more than fits into the pipe. */
static int
count_waiting(int n)
{
	int waiting = 0;

	for (int i = 0; i < n; i++)
		waiting += sessions[i].sent <= PIPE;
	return waiting;
}

static int
run_stuck(int n, char **command)
{
	static char junk[PORTION];
	static struct pollfd p[SESSIONS_MAX];
	long long end = now_ms() + PATIENCE;
	size_t all = 0;
	ssize_t r;
	char byte;

	start_all(n, command);
	for (int i = 0; i < n; i++)
		p[i] = (struct pollfd){sessions[i].in, POLLOUT, 0};
	while (poll(p, (nfds_t)n, SETTLED) > 0 ||
	    (count_waiting(n) > 0 && now_ms() < end))
		for (int i = 0; i < n; i++) {
			if (p[i].revents == 0)
				continue;
			r = write(p[i].fd, junk, sizeof junk);
			if (r > 0)
				sessions[i].sent += (size_t)r;
			else if (errno != EAGAIN)
				p[i].fd = -1;
		}
	for (int i = 0; i < n; i++)
		all += sessions[i].sent;
	printf("stuck %d %zu\n", n - count_waiting(n), all);
	fflush(stdout);
	while (read(0, &byte, 1) == -1 && errno == EINTR)
		;
	for (int i = 0; i < n; i++) {
		kill(sessions[i].pid, SIGKILL);
		waitpid(sessions[i].pid, NULL, 0);
	}
	return 0;
}

/* ---- strangers ----------------------------------------------------------- */

static int
dial(const char *id)
{
	const struct timeval tv = {PATIENCE / 1000, 0};
	struct sockaddr_un sa;
	socklen_t len;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || rexec_addr(id, &sa, &len, NULL) == -1)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	if (connect(fd, (struct sockaddr *)&sa, len) == -1)
		die("connect");
	return fd;
}

static SSL *
new_client(SSL_CTX *ctx, const char *id)
{
	char name[REXEC_NAME_SIZE];
	SSL *ssl = SSL_new(ctx);

	rexec_name(id, name);
	SSL_set_tlsext_host_name(ssl, name);
	SSL_set_connect_state(ssl);
	return ssl;
}

/* The first message of a handshake, all of it or a part; the rest never comes.
 */
static void
half_hello(SSL_CTX *ctx, const char *id, int fd, bool whole)
{
	SSL *ssl = new_client(ctx, id);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	char hello[8192];
	int n;

	SSL_set_bio(ssl, in, out);
	SSL_do_handshake(ssl);
	n = BIO_read(out, hello, sizeof hello);
	if (n > 0)
		send(
		    fd, hello, whole ? (size_t)n : (size_t)n / 2, MSG_NOSIGNAL);
	SSL_free(ssl);
	ERR_clear_error();
}

/* True when it was let in. */
static bool
show_certificate(SSL_CTX *ctx, const char *id, int fd)
{
	SSL *ssl = new_client(ctx, id);
	char byte;
	bool in;

	SSL_set_fd(ssl, fd);
	in = SSL_connect(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1;
	SSL_free(ssl);
	ERR_clear_error();
	return in;
}

static int
run_strangers(int n, const char *id, const char *cert, const char *key)
{
	static const char garbage[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	static int open_fds[OPEN_MAX_AT_ONCE];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	long long begin = now_ms();
	int in = 0, k = 0, fd;

	signal(SIGPIPE, SIG_IGN);
	memset(open_fds, -1, sizeof open_fds);
	if (SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		die(cert);
	for (int i = 0; i < n; i++) {
		fd = dial(id);
		if (i % 3 == 0) {
			in += show_certificate(ctx, id, fd);
			close(fd);
			continue;
		}
		if (i % 3 == 1)
			send(fd, garbage, sizeof garbage - 1, MSG_NOSIGNAL);
		else
			half_hello(ctx, id, fd, i % 2 == 0);
		/* they stay for a while, as rude ones do */
		k = (k + 1) % OPEN_MAX_AT_ONCE;
		shut(&open_fds[k]);
		open_fds[k] = fd;
	}
	printf("strangers %d\nlet-in %d\ntook %lld\n", n, in, now_ms() - begin);
	return 0;
}

int
main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 0;

	if (n >= 2 && n <= SESSIONS_MAX && argc > 4 &&
	    strcmp(argv[1], "sessions") == 0)
		return run_sessions(n, (size_t)atoll(argv[3]), argv + 4);
	if (n >= 1 && n <= SESSIONS_MAX && argc > 3 &&
	    strcmp(argv[1], "stuck") == 0)
		return run_stuck(n, argv + 3);
	if (n >= 1 && argc == 6 && strcmp(argv[1], "strangers") == 0)
		return run_strangers(n, argv[3], argv[4], argv[5]);
	fprintf(stderr, "usage: see the source\n");
	return 2;
}
