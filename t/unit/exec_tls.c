/* SPDX-License-Identifier: Apache-2.0
 * runq-exec from client to guest, with a guest that is made up: sessions,
 * certificates, strangers. RUNQ_T_SESSION_KIB is how much each of the many
 * sessions moves both ways, RUNQ_T_STRANGERS how many connections come that
 * never get in. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/rexec.h"
#include "lib/tls.h"
#include "lib/wire.h"
#include "runtime/rexec_cli.h"
#include "runtime/rexec_session.h"
#include "runtime/rexec_tls.h"
#include "t/tap.h"
#include "t/unit/certs.h"
#include "t/unit/fake_guest.h"

#define SESSIONS_MAX 200
#define PATIENCE 60 /* seconds until something that should end is given up */
/* What one session may cost the supervisor at most, and it alone. */
#define SESSION_KIB 96
#define BASE_KIB (24 * 1024)

#define DAY 86400L

static char dir[] = "/tmp/runq-exec-tls-XXXXXX";
static char id_a[80], id_b[80];

/* ---- a real client in a process of its own ------------------------------- */

struct client {
	pid_t pid;
	int in, out, err; /* our ends */
};

static const char *
pem(const char *name)
{
	static char paths[4][256];
	static int i;

	i = (i + 1) % 4;
	snprintf(paths[i], sizeof paths[i], "%s/%s.pem", dir, name);
	return paths[i];
}

static int
be_client(const char *id, const char *ca, const char *cert, char **args,
    bool interactive)
{
	struct rexec_cli cli = {.interactive = interactive, .args = args};
	struct err err = {""};
	struct rexec_tls *t;
	char key[80];
	int code = 255;

	log_init("client", 2, LOG_LEVEL_WARN);
	strlist_add(&cli.env, "A=2");
	strlist_add(&cli.env, "B=3");
	snprintf(key, sizeof key, "%s-key", cert);
	t = rexec_tls_new(pem(ca), pem(cert), pem(key), &err);
	if (t != NULL && rexec_tls_connect(t, id, &err) == 0)
		code = rexec_session(t, id, &cli, &err);
	rexec_tls_free(t);
	if (err.msg[0] != '\0')
		log_error("%s", err.msg);
	return code;
}

/* in_fd: the client's stdin, or -1 for a pipe of ours. */
static struct client
client_start(
    const char *id, const char *ca, const char *cert, char **args, int in_fd)
{
	int in[2] = {-1, -1}, out[2], err[2];
	struct client c;

	if ((in_fd == -1 && pipe2(in, O_CLOEXEC) == -1) ||
	    pipe2(out, O_CLOEXEC) == -1 || pipe2(err, O_CLOEXEC) == -1)
		exit(1);
	fflush(stdout);
	if ((c.pid = fork()) == 0) {
		dup2(in_fd == -1 ? in[0] : in_fd, 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
		_exit(be_client(id, ca, cert, args, true));
	}
	if (in_fd == -1)
		close(in[0]);
	close(out[1]);
	close(err[1]);
	c.in = in[1];
	c.out = out[0];
	c.err = err[0];
	return c;
}

static size_t
read_all(int fd, char *buf, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t n = 0;
	ssize_t r;

	while (n < size - 1 && poll(&p, 1, PATIENCE * 1000) == 1 &&
	    (r = read(fd, buf + n, size - 1 - n)) > 0)
		n += (size_t)r;
	buf[n] = '\0';
	close(fd);
	return n;
}

/* Exit code; 1000 + signal; -1 when it had to be killed. */
static int
client_wait(struct client *c)
{
	int status, ms = PATIENCE * 1000;

	while (waitpid(c->pid, &status, WNOHANG) == 0) {
		if ((ms -= 5) < 0) {
			kill(c->pid, SIGKILL);
			waitpid(c->pid, &status, 0);
			return -1;
		}
		poll(NULL, 0, 5);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 1000 + WTERMSIG(status);
}

struct result {
	int code;
	char out[16384], err[4096];
};

static struct result
run(const char *id, const char *ca, const char *cert, char **args,
    const char *input)
{
	static struct result r;
	struct client c = client_start(id, ca, cert, args, -1);

	if (write(c.in, input, strlen(input)) == -1)
		printf("# write: %s\n", strerror(errno));
	close(c.in);
	read_all(c.out, r.out, sizeof r.out);
	read_all(c.err, r.err, sizeof r.err);
	r.code = client_wait(&c);
	return r;
}

#define ARGS(...) ((char *[]){__VA_ARGS__, NULL})

static struct result
run_ok(char **args, const char *input)
{
	return run(id_a, "ca", "client", args, input);
}

/* ---- the supervisor from outside ----------------------------------------- */

static int
count_fds(pid_t pid)
{
	char path[64];
	struct dirent *e;
	int n = 0;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	if ((d = opendir(path)) == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static bool
fds_become(pid_t pid, int want)
{
	for (int ms = 0; ms < PATIENCE * 1000; ms += 10) {
		if (count_fds(pid) == want)
			return true;
		poll(NULL, 0, 10);
	}
	printf("# %d descriptors, want %d\n", count_fds(pid), want);
	return false;
}

static long
status_kib(pid_t pid, const char *field)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	if ((f = fopen(path, "r")) == NULL)
		return -1;
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, field, strlen(field)) == 0)
			kib = atol(line + strlen(field) + 1);
	fclose(f);
	return kib;
}

/* ---- what a session does ------------------------------------------------- */

static void
test_session(void)
{
	struct result r;

	r = run_ok(ARGS("xor", "0", "7"), "hello\r\n\x01");
	is_int(r.code, 7, "the exit code is the command's");
	is_str(r.out, "hello\r\n\x01", "stdin and stdout, to their ends");
	is_str(r.err, "", "nothing on stderr");
	r = run_ok(ARGS("err", "oops", "255"), "");
	is_str(r.err, "oops", "stderr is separate");
	is_str(r.out, "", "stdout is empty");
	is_int(r.code, 255, "code 255 of the command");
	r = run_ok(ARGS("nosuch"), "");
	is_int(r.code, 127, "a command that is not there");
	is_str(r.err, "client: nosuch: not found\\x1b\n", "says so, escaped");

	r = run_ok(ARGS("show", "a b", "\xc3\xa4"), "");
	is_str(r.out,
	    "{\"process\":{\"args\":[\"show\",\"a b\",\"\xc3\xa4\"],"
	    "\"cwd\":\"/w\",\"env\":[\"PATH=/bin\",\"A=2\",\"B=3\"],"
	    "\"user\":{\"uid\":7,\"gid\":8},\"terminal\":false,"
	    "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}}}",
	    "the process is the container's, with our args and env");
}

static void
test_signal(void)
{
	struct client c =
	    client_start(id_a, "ca", "client", ARGS("signal"), -1);
	char line[7] = "";

	ok(read(c.out, line, 6) == 6, "the command runs");
	kill(c.pid, SIGTERM);
	is_int(client_wait(&c), 128 + SIGTERM, "SIGTERM goes to the command");
	close(c.in);
	close(c.out);
	close(c.err);
}

/* The client dies: the command loses stdin and stdout. */
static void
test_client_dies(struct fake_guest *g, int fds)
{
	int eofs = g->seen->eofs, stops = g->seen->stops;
	struct client c =
	    client_start(id_a, "ca", "client", ARGS("signal"), -1);
	char line[7] = "";

	ok(read(c.out, line, 6) == 6, "a command runs");
	kill(c.pid, SIGKILL);
	client_wait(&c);
	for (int ms = 0; g->seen->stops == stops && ms < PATIENCE * 1000;
	     ms += 5)
		poll(NULL, 0, 5);
	is_int(g->seen->eofs, eofs + 1, "its client dies: stdin ends");
	is_int(g->seen->stops, stops + 1, "and nobody reads its output");
	ok(fds_become(g->supervisor, fds), "nothing is left of the session");
	close(c.in);
	close(c.out);
	close(c.err);
}

/* ---- certificates -------------------------------------------------------- */

/* The sentence of a real client that does not get in. */
static void
client_says(
    const char *id, const char *ca, const char *cert, const char *sentence)
{
	struct result r = run(id, ca, cert, ARGS("show"), "");

	if (!ok(r.code == 255 && strstr(r.err, sentence) != NULL,
		"%s, trusting %s: %s", cert, ca, sentence))
		printf("# code %d: %s\n", r.code, r.err);
}

/* A client without scruples: does not look at its own certificate, wants
 * server_name, speaks TLS up to max. Returns OpenSSL's reason, 0: let in. */
static int
raw_client(const char *id, const char *name, const char *cert, int max)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct timeval tv = {PATIENCE, 0};
	struct sockaddr_un sa;
	socklen_t len;
	char key[80], byte;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), reason = 0;
	SSL *ssl;

	ERR_clear_error();
	SSL_CTX_set_max_proto_version(ctx, max);
	if (cert != NULL) {
		snprintf(key, sizeof key, "%s-key", cert);
		SSL_CTX_use_certificate_file(ctx, pem(cert), SSL_FILETYPE_PEM);
		SSL_CTX_use_PrivateKey_file(ctx, pem(key), SSL_FILETYPE_PEM);
	}
	ssl = SSL_new(ctx);
	if (name != NULL)
		SSL_set_tlsext_host_name(ssl, name);
	rexec_addr(id, &sa, &len, NULL);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	if (connect(fd, (struct sockaddr *)&sa, len) == -1)
		printf("# connect: %s\n", strerror(errno));
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1 || SSL_read(ssl, &byte, 1) != 1) {
		reason = ERR_GET_REASON(ERR_peek_error());
		if (reason == 0)
			reason = -1;
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return reason;
}

static void
refused(const char *id, const char *name, const char *cert, int max, int reason,
    const char *what)
{
	int got = raw_client(id, name, cert, max);

	if (!ok(got == reason, "server refuses %s", what))
		printf("# reason %d, want %d\n", got, reason);
}

static void
test_clients(struct fake_guest *g, int fds)
{
	int execs = g->seen->execs;
	char name[REXEC_NAME_SIZE];

	rexec_name(id_a, name);
	is_int(raw_client(id_a, name, "client", TLS1_3_VERSION), 0,
	    "server lets a client in");
	refused(id_a, name, NULL, TLS1_3_VERSION,
	    SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "no certificate");
	refused(id_a, name, "foreign-client", TLS1_3_VERSION,
	    SSL_R_TLSV1_ALERT_UNKNOWN_CA, "a foreign certificate");
	refused(id_a, name, "self", TLS1_3_VERSION,
	    SSL_R_TLSV1_ALERT_UNKNOWN_CA, "a self-signed certificate");
	refused(id_a, name, "expired-client", TLS1_3_VERSION,
	    SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "an expired one");
	refused(id_a, name, "future-client", TLS1_3_VERSION,
	    SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "one of tomorrow");
	refused(id_a, name, "server", TLS1_3_VERSION,
	    SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "a server's");
	refused(id_a, name, "no-use", TLS1_3_VERSION,
	    SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "one without a purpose");
	refused(id_a, name, "client", TLS1_2_VERSION,
	    SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "TLS 1.2");
	refused(id_a, "other", "client", TLS1_3_VERSION,
	    SSL_R_TLSV1_UNRECOGNIZED_NAME, "another container's name");
	refused(id_a, NULL, "client", TLS1_3_VERSION,
	    SSL_R_TLSV1_UNRECOGNIZED_NAME, "no name");
	is_int(g->seen->execs, execs, "none of them reached the guest");

	client_says(id_a, "ca", "expired-client", "has expired (it ended at");
	client_says(id_a, "ca", "future-client", "is not valid yet");
	client_says(id_a, "ca", "foreign-client", "is foreign");
	client_says(id_a, "ca", "server", "is not a client's");
	client_says(id_a, "ca", "no-use", "is not a client's");
	client_says(id_a, "ca", "gone", "No such file");
	client_says(
	    id_a, "foreign", "foreign-client", "supervisor shows is foreign");
	ok(fds_become(g->supervisor, fds), "nothing is left of them");
}

static void
server_refused(
    const char *cert, const char *id, const char *address, const char *sentence)
{
	struct fake_guest *g = fake_guest_start(dir, "ca", cert, id, address);

	client_says(address, "ca", "client", sentence);
	is_int(g->seen->execs, 0, "nothing was asked for");
	fake_guest_stop(g);
}

static void
test_servers(void)
{
	char near[80];

	server_refused("expired-server", id_b, id_b,
	    "supervisor shows has expired (it ended at");
	server_refused("future-server", id_b, id_b, "is not valid yet");
	server_refused("foreign-server", id_b, id_b, "is foreign");
	server_refused("client", id_b, id_b, "is not a server's");
	server_refused("no-use", id_b, id_b, "is not a server's");
	/* a container in another one's place */
	server_refused("server", id_a, id_b, "another container answered");
	/* the same, when the name in the handshake is the same */
	snprintf(near, sizeof near, "%s", id_b);
	near[63] = near[63] == '0' ? '1' : '0';
	server_refused("server", near, id_b, "another container answered");
}

/* ---- the protocol after the handshake ------------------------------------ */

static SSL *
raw_session(SSL_CTX **ctx, int *fd)
{
	const struct timeval tv = {PATIENCE, 0};
	char name[REXEC_NAME_SIZE];
	struct sockaddr_un sa;
	socklen_t len;
	SSL *ssl;

	*ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_use_certificate_file(*ctx, pem("client"), SSL_FILETYPE_PEM);
	SSL_CTX_use_PrivateKey_file(*ctx, pem("client-key"), SSL_FILETYPE_PEM);
	ssl = SSL_new(*ctx);
	rexec_name(id_a, name);
	SSL_set_tlsext_host_name(ssl, name);
	rexec_addr(id_a, &sa, &len, NULL);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	if (connect(*fd, (struct sockaddr *)&sa, len) == -1)
		printf("# connect: %s\n", strerror(errno));
	SSL_set_fd(ssl, *fd);
	if (SSL_connect(ssl) != 1)
		printf("# handshake\n");
	return ssl;
}

/* Type of the next frame; 0: the supervisor hung up. */
static int
raw_read(SSL *ssl)
{
	uint8_t head[WIRE_HEADER], rest[2048];
	struct wire_header h;

	if (SSL_read(ssl, head, sizeof head) != (int)sizeof head ||
	    wire_header_get(head, &h, NULL) == -1 || h.length > sizeof rest ||
	    (h.length > 0 &&
		SSL_read(ssl, rest, (int)h.length) != (int)h.length))
		return 0;
	return (int)h.type;
}

/* Sends frames after HELLO and reads until the supervisor hangs up; the type
 * of the last frame that it sent. */
static int
raw_frames(const void *bytes, size_t n)
{
	int last, type, fd;
	SSL_CTX *ctx;
	SSL *ssl = raw_session(&ctx, &fd);

	last = raw_read(ssl);
	for (size_t i = 0; i < n; i += 16384)
		if (SSL_write(ssl, (const char *)bytes + i,
			n - i < 16384 ? (int)(n - i) : 16384) <= 0)
			break;
	while ((type = raw_read(ssl)) != 0)
		last = type;
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	ERR_clear_error();
	return last;
}

static size_t
put_frame(uint8_t *p, enum wire_type type, uint32_t id, const void *payload,
    uint32_t len)
{
	struct wire_header h = {type, id, len};

	wire_header_put(p, &h);
	if (payload != NULL)
		memcpy(p + WIRE_HEADER, payload, len);
	return WIRE_HEADER + len;
}

static void
test_protocol(struct fake_guest *g, int fds)
{
	static const char good[] = "{\"process\":{\"args\":[\"signal\"]}}";
	static const char *const bad[] = {"{}", "[1]", "{\"process\":{}}",
	    "{\"process\":{\"args\":[]}}", "{\"process\":{\"args\":[1]}}",
	    "{\"process\":{\"args\":[\"a\"],\"cwd\":\"/\"}}",
	    "{\"process\":{\"args\":[\"a\"],\"env\":[\"=b\"]}}",
	    "{\"process\":{\"args\":[\"a\"]},\"terminal\":{\"rows\":1}}",
	    "{\"process\":{\"args\":[\"a\"]},\"user\":0}", "{\"process\":"};
	static uint8_t buf[65536 + 100];
	int execs = g->seen->execs;
	size_t n;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		n = put_frame(buf, WIRE_EXEC, REXEC_SESSION, bad[i],
		    (uint32_t)strlen(bad[i]));
		is_int(raw_frames(buf, n), WIRE_FAILED, bad[i]);
	}
	memset(buf, 0xee, sizeof buf);
	is_int(raw_frames(buf, 4096), WIRE_HELLO, "garbage: hung up");
	n = put_frame(buf, WIRE_SIGNAL, REXEC_SESSION, "\0\0\0\x0f", 4);
	is_int(raw_frames(buf, n), WIRE_HELLO, "SIGNAL first: hung up");
	n = put_frame(buf, WIRE_START, 0, "{}", 2);
	is_int(raw_frames(buf, n), WIRE_HELLO, "START: hung up");
	n = put_frame(buf, WIRE_HELLO, 0, "RUNQ\0\0\0\1", 8);
	is_int(raw_frames(buf, n), WIRE_HELLO, "HELLO: hung up");
	n = put_frame(buf, WIRE_EXEC, 0, good, sizeof good - 1);
	is_int(raw_frames(buf, n), WIRE_HELLO, "EXEC of session 0: hung up");
	n = put_frame(buf, WIRE_DATA, 8, "x", 1);
	is_int(raw_frames(buf, n), WIRE_HELLO, "another session: hung up");
	n = put_frame(buf, WIRE_EXEC, REXEC_SESSION, NULL, 8 << 20);
	is_int(raw_frames(buf, WIRE_HEADER), WIRE_HELLO,
	    "EXEC that is too long: hung up");
	is_int(g->seen->execs, execs, "none of them reached the guest");

	n = put_frame(buf, WIRE_EXEC, REXEC_SESSION, good, sizeof good - 1);
	n +=
	    put_frame(buf + n, WIRE_EXEC, REXEC_SESSION, good, sizeof good - 1);
	raw_frames(buf, n);
	for (int ms = 0; g->seen->execs == execs && ms < PATIENCE * 1000;
	     ms += 5)
		poll(NULL, 0, 5);
	is_int(g->seen->execs, execs + 1, "EXEC twice: the first counts");
	n = put_frame(buf, WIRE_EXEC, REXEC_SESSION, good, sizeof good - 1);
	for (int i = 0; i < 5; i++)
		n += put_frame(buf + n, WIRE_DATA, 4, NULL, 4096);
	n += put_frame(buf + n, 99, 0, NULL, 0);
	raw_frames(buf, n);
	ok(fds_become(g->supervisor, fds), "nothing is left of them");
}

/* ---- many at once -------------------------------------------------------- */

static uint8_t *pattern;

struct stream {
	struct client c;
	uint8_t key;
	size_t got;
	bool wrong, ended;
};

static void
take(struct stream *s, size_t size)
{
	static uint8_t chunk[65536];
	ssize_t n = read(s->c.out, chunk, sizeof chunk);

	if (n <= 0) {
		s->ended = true;
		close(s->c.out);
		return;
	}
	if (s->got + (size_t)n > size) {
		s->wrong = true;
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		s->wrong |= chunk[i] != (pattern[s->got + (size_t)i] ^ s->key);
	s->got += (size_t)n;
}

static void
take_until_end(struct stream *s, int from, int to, size_t size)
{
	struct pollfd p[SESSIONS_MAX];
	int left;

	for (;;) {
		left = 0;
		for (int i = from; i < to; i++) {
			p[i].fd = s[i].ended ? -1 : s[i].c.out;
			p[i].events = POLLIN;
			left += !s[i].ended;
		}
		if (left == 0)
			return;
		if (poll(p + from, (nfds_t)(to - from), PATIENCE * 1000) <= 0) {
			printf("# %d sessions starve\n", left);
			for (int i = from; i < to; i++)
				s[i].ended = true;
			return;
		}
		for (int i = from; i < to; i++)
			if (p[i].fd != -1 && p[i].revents != 0)
				take(&s[i], size);
	}
}

static void
test_many(struct fake_guest *g, int fds)
{
	static struct stream s[SESSIONS_MAX];
	const int sessions = emulated() ? 12 : SESSIONS_MAX;
	const char *kib = getenv("RUNQ_T_SESSION_KIB");
	size_t size = (size_t)(kib != NULL ? atol(kib) : 512) << 10;
	char path[256], key[16], code[16], text[4096];
	int fd, good = 0;
	long peak;

	pattern = malloc(size);
	for (size_t i = 0; i < size; i++)
		pattern[i] = (uint8_t)(i * 2654435761u >> 13);
	snprintf(path, sizeof path, "%s/pattern", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd == -1 || write(fd, pattern, size) != (ssize_t)size)
		exit(1);
	close(fd);
	for (int i = 0; i < sessions; i++) {
		s[i].key = (uint8_t)i;
		snprintf(key, sizeof key, "%d", i);
		snprintf(code, sizeof code, "%d", i % 100);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		s[i].c = client_start(
		    id_a, "ca", "client", ARGS("xor", key, code), fd);
		close(fd);
	}
	/* the first one's reader sleeps until the others are done */
	take_until_end(s, 1, sessions, size);
	peak = status_kib(g->supervisor, "VmHWM:");
	ok(!s[0].ended && s[0].got == 0, "one does not read");
	take_until_end(s, 0, 1, size);
	for (int i = 0; i < sessions; i++) {
		int got = client_wait(&s[i].c);

		good += got == i % 100 && s[i].got == size && !s[i].wrong;
		if (read_all(s[i].c.err, text, sizeof text) > 0)
			printf("# session %d, code %d: %s\n", i, got, text);
	}
	is_int(good, sessions, "all bytes right, both ways, and all codes");
	printf("# supervisor: %ld KiB at its peak\n", peak);
#ifndef __SANITIZE_ADDRESS__
	if (emulated())
		skip("the supervisor's memory", "the emulator's counts, too");
	else
		ok(peak > 0 && peak <= BASE_KIB + sessions * SESSION_KIB,
		    "the supervisor's memory is bounded");
#endif
	ok(fds_become(g->supervisor, fds), "nothing is left of them");
	free(pattern);
}

/* ---- strangers ----------------------------------------------------------- */

/* Connections that never become sessions, as fast as that goes. */
static void
be_strangers(int n)
{
	static const char hello[] = "\x16\x03\x01\x00\xff\x01\x00";
	struct sockaddr_un sa;
	char name[REXEC_NAME_SIZE];
	socklen_t len;
	int fds[400], k = 0;

	for (size_t i = 0; i < 400; i++)
		fds[i] = -1;
	rexec_name(id_a, name);
	rexec_addr(id_a, &sa, &len, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < n; i++) {
		if (i % 20 == 0) {
			raw_client(
			    id_a, name, "foreign-client", TLS1_3_VERSION);
			continue;
		}
		k = (k + 1) % 400;
		if (fds[k] != -1)
			close(fds[k]);
		fds[k] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fds[k], (struct sockaddr *)&sa, len) == -1)
			continue;
		if (i % 3 == 0 && send(fds[k], hello, 7, MSG_NOSIGNAL) == -1)
			continue;
		if (i % 3 == 1 &&
		    send(fds[k], "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL) ==
			-1)
			continue;
	}
}

static void
test_strangers(struct fake_guest *g, int fds)
{
	const char *many = getenv("RUNQ_T_STRANGERS");
	int n = many != NULL ? atoi(many)
	    : emulated()     ? 400
			     : 4000,
	    good = 0, tries = 0, status;
	int execs = g->seen->execs;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		be_strangers(n);
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0 || tries < 5) {
		struct result r = run_ok(ARGS("xor", "1", "9"), "@@@");

		tries++;
		good += r.code == 9 && strcmp(r.out, "AAA") == 0;
		if (r.code != 9)
			printf("# code %d: %s\n", r.code, r.err);
	}
	is_int(good, tries, "sessions work while strangers come in masses");
	is_int(g->seen->execs, execs + tries, "strangers reached nothing");
	ok(fds_become(g->supervisor, fds), "nothing is left of them");
}

static void
make_certs(void)
{
	certs_make(dir, "ca", NULL, CERT_CA, -DAY, 9 * DAY);
	certs_make(dir, "foreign", NULL, CERT_CA, -DAY, 9 * DAY);
	certs_make(dir, "server", "ca", CERT_SERVER, -DAY, DAY);
	certs_make(dir, "client", "ca", CERT_CLIENT, -DAY, DAY);
	certs_make(dir, "expired-server", "ca", CERT_SERVER, -2 * DAY, -60);
	certs_make(dir, "expired-client", "ca", CERT_CLIENT, -2 * DAY, -60);
	certs_make(dir, "future-server", "ca", CERT_SERVER, DAY, 2 * DAY);
	certs_make(dir, "future-client", "ca", CERT_CLIENT, DAY, 2 * DAY);
	certs_make(dir, "foreign-server", "foreign", CERT_SERVER, -DAY, DAY);
	certs_make(dir, "foreign-client", "foreign", CERT_CLIENT, -DAY, DAY);
	certs_make(dir, "no-use", "ca", CERT_NO_USE, -DAY, DAY);
	certs_make(dir, "self", NULL, CERT_CLIENT, -DAY, DAY);
}

int
main(void)
{
	struct fake_guest *g;
	char command[64];
	int fds;

	if (mkdtemp(dir) == NULL)
		return 1;
	make_certs();
	for (int i = 0; i < 64; i++) {
		id_a[i] = "0123456789abcdef"[(getpid() >> i % 16) & 15];
		id_b[i] = "0123456789abcdef"[(getpid() >> i % 13) & 15];
	}
	g = fake_guest_start(dir, "ca", "server", id_a, id_a);
	fds = count_fds(g->supervisor);
	test_session();
	test_signal();
	test_client_dies(g, fds);
	test_clients(g, fds);
	test_servers();
	test_protocol(g, fds);
	test_many(g, fds);
	test_strangers(g, fds);
	is_int(run_ok(ARGS("xor", "0", "3"), "").code, 3,
	    "and after all that a session works");
	fake_guest_stop(g);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) != 0 || done_testing() != 0;
}
