/* SPDX-License-Identifier: Apache-2.0
 * runq-exec without a container: command line, DOCKER_HOST, HTTP responses,
 * what the Docker API says. */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/rexec.h"
#include "runtime/rexec_cli.h"
#include "runtime/rexec_docker.h"
#include "runtime/rexec_http.h"
#include "t/tap.h"

/* ---- command line -------------------------------------------------------- */

#define ARGV(...) ((char *[]){"runq-exec", __VA_ARGS__, NULL})

static int
parse(struct rexec_cli *c, char **argv, struct err *err)
{
	int n = 0;

	while (argv[n] != NULL)
		n++;
	err->msg[0] = '\0';
	return rexec_cli_parse(c, n, argv, err);
}

static void
test_cli(void)
{
	struct rexec_cli c;
	struct err err;

	is_int(parse(&c, ARGV("-ti", "box", "ls", "-l", "-t"), &err), 0,
	    "-ti and a command with options");
	ok(c.tty && c.interactive && !c.help, "both are set");
	is_str(c.container, "box", "the container");
	is_str(c.args[1], "-l", "options of the command stay");
	is_str(c.args[2], "-t", "all of them");
	is_str(c.tls_cert, RUNQ_PREFIX "/cert.pem", "default certificate");
	is_str(c.tls_key, RUNQ_PREFIX "/key.pem", "default key");
	rexec_cli_free(&c);

	setenv("FROM_HERE", "v w", 1);
	unsetenv("NOT_HERE");
	is_int(parse(&c,
		   ARGV("-c", "/c", "--tlskey=/k", "--tlscacert", "/a", "-e",
		       "A=b=c", "--env", "FROM_HERE", "-eNOT_HERE",
		       "-eB=", "--interactive", "--", "box", "-x"),
		   &err),
	    0, "long and short options");
	is_str(c.tls_cert, "/c", "-c");
	is_str(c.tls_key, "/k", "--tlskey=");
	is_str(c.tls_ca, "/a", "--tlscacert");
	is_int((long long)c.env.n, 3, "a variable that is not set is not sent");
	is_str(c.env.v[0], "A=b=c", "-e NAME=VALUE");
	is_str(c.env.v[1], "FROM_HERE=v w", "-e NAME");
	is_str(c.env.v[2], "B=", "-e NAME=");
	is_str(c.args[0], "-x", "-- ends the options");
	rexec_cli_free(&c);
	ok(parse(&c, ARGV("-h"), &err) == 0 && c.help, "-h alone");
	ok(parse(&c, ARGV("--version"), &err) == 0 && c.version, "--version");
	ok(parse(&c, ARGV("-x", "box", "ls"), &err) == -1 &&
		strstr(err.msg, "-x") != NULL,
	    "refused: -x");
	ok(parse(&c, ARGV("--foo", "box", "ls"), &err) == -1 &&
		strstr(err.msg, "--foo") != NULL,
	    "refused: --foo");
	ok(parse(&c, ARGV("-e", "=a", "box", "ls"), &err) == -1 &&
		strstr(err.msg, "\"=a\"") != NULL,
	    "refused: -e =a");
	ok(parse(&c, ARGV("-e"), &err) == -1, "refused: -e alone");
	ok(parse(&c, ARGV("-i"), &err) == -1, "refused: no container");
	ok(parse(&c, ARGV("box"), &err) == -1, "refused: no command");
	rexec_cli_free(&c);
}

/* ---- DOCKER_HOST --------------------------------------------------------- */

static void
test_host(void)
{
	static const char *const bad[] = {"", "/var/run/docker.sock", "unix://",
	    "unix://docker.sock", "ssh://host", "http://h:1", "tcp://",
	    "tcp://host", "tcp://host:", "tcp://host:x", "tcp://host:123456",
	    "tcp://:2375", "tcp://h:1/x", "tcp://::1:1", "tcp://[::1:1",
	    "fd://", "npipe:////./pipe/docker",
	    "unix:///1234567890123456789012345678901234567890123456789012345"
	    "67890123456789012345678901234567890123456789012345678901234567"
	    "8901234567890"};
	struct docker_host h;
	struct err err;

	ok(docker_host_parse(DOCKER_HOST_DEFAULT, &h, &err) == 0 && !h.tcp,
	    "the default");
	is_str(h.path, "/var/run/docker.sock", "its path");
	ok(docker_host_parse("tcp://127.0.0.1:2375", &h, &err) == 0 && h.tcp,
	    "tcp");
	is_str(h.host, "127.0.0.1", "host");
	is_str(h.port, "2375", "port");
	ok(docker_host_parse("tcp://[::1]:80/", &h, &err) == 0 &&
		strcmp(h.host, "::1") == 0,
	    "IPv6");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ok(docker_host_parse(bad[i], &h, &err) == -1 &&
			strstr(err.msg, "allowed: unix:///PATH") != NULL,
		    "refused: \"%.30s\"", bad[i]);
}

/* ---- HTTP ---------------------------------------------------------------- */

/* In portions of so many bytes; 0: whole, -1: an error. */
static int
feed(struct http *h, const char *text, size_t portion, struct err *err)
{
	size_t len = strlen(text);

	http_free(h);
	http_init(h, 1000);
	err->msg[0] = '\0';
	for (size_t i = 0; i < len; i += portion)
		if (http_feed(h, text + i,
			len - i < portion ? len - i : portion, err) == -1)
			return -1;
	return http_end(h, err);
}

static void
body_is(const char *text, int status, const char *body, const char *name)
{
	static struct http h;
	struct err err;
	bool good = true;

	for (size_t portion = 1; portion < 80; portion += 13)
		good = good && feed(&h, text, portion, &err) == 0 &&
		    h.status == status && buf_len(&h.body) == strlen(body) &&
		    (body[0] == '\0' ||
			memcmp(buf_data(&h.body), body, strlen(body)) == 0);
	if (!ok(good, "%s", name))
		printf("# status %d, %zu bytes, %s\n", h.status,
		    buf_len(&h.body), err.msg);
	http_free(&h);
}

static void
broken(const char *text, const char *name)
{
	static struct http h;
	struct err err;

	ok(feed(&h, text, 7, &err) == -1 && err.msg[0] != '\0', "%s", name);
	http_free(&h);
}

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

static void
test_http(void)
{
	char *long_text = calloc(1, 20000);

	body_is(OK "Content-Length: 5\r\n\r\nhello", 200, "hello",
	    "Content-Length");
	body_is(OK "content-length:5 \r\nX: y\r\n\r\nhellomore", 200, "hello",
	    "what follows does not count");
	body_is(OK "\r\nhello", 200, "hello", "to the end of the connection");
	body_is("HTTP/1.1 204 No\r\n\r\nx", 204, "", "204 has no body");
	body_is("HTTP/1.0 404\r\nContent-Length: 0\r\n\r\n", 404, "",
	    "no reason, no body");
	body_is(CHUNKED "5\r\nhello\r\n0\r\n\r\n", 200, "hello", "chunked");
	body_is(CHUNKED "2;x=y\r\nhe\r\n00A\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
	    200, "he0123456789", "extensions and trailers");
	body_is("HTTP/1.1 100 Go on\r\n\r\n" OK "Content-Length: 1\r\n\r\nx",
	    200, "x", "an interim response");
	body_is("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, "hi",
	    "bare newlines");

	broken("", "nothing");
	broken("SSH-2.0-OpenSSH\r\n", "not HTTP");
	broken("HTTP/2 200\r\n\r\n", "HTTP/2");
	broken("HTTP/1.1 2000 OK\r\n\r\n", "a status of four digits");
	broken("HTTP/1.1 20\r\n\r\n", "of two");
	broken(OK "no colon\r\n\r\n", "a header without a colon");
	broken(OK ": x\r\n\r\n", "without a name");
	broken(OK "Content-Length: 5\r\n\r\nhell", "a body that is too short");
	broken(OK "Content-Length: -1\r\n\r\n", "a negative length");
	broken(OK "Content-Length: 5x\r\n\r\nhello", "a length with letters");
	broken(OK "Content-Length: 99999999999999999999\r\n\r\n",
	    "a length out of range");
	broken(OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
	    "two lengths");
	broken(OK "Content-Length: 2000\r\n\r\n", "early end of a long body");
	broken(OK "Transfer-Encoding: gzip\r\n\r\n", "gzip");
	broken(CHUNKED "x\r\n", "a chunk size with letters");
	broken(CHUNKED "5\r\nhelloworld", "no end of line after a chunk");
	broken(CHUNKED "5\r\nhello\r\n", "no last chunk");
	broken(CHUNKED "fffffffffffffffff\r\n", "a chunk size out of range");
	memset(long_text, 'a', 19999);
	memcpy(long_text, OK, strlen(OK));
	broken(long_text, "a line that is too long");
	memcpy(long_text, OK "\r\n", strlen(OK) + 2);
	broken(long_text, "a body that is too long");
	strcpy(long_text, OK);
	for (int i = 0; i < 200; i++)
		strcat(long_text, "a: b\r\n");
	broken(long_text, "too many headers");
	free(long_text);
}

/* ---- the Docker API ------------------------------------------------------ */

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define RUNNING                                                                \
	"{\"Id\":\"" ID "\",\"State\":{\"Running\":true,\"Status\":"           \
	"\"running\"},\"HostConfig\":{\"Runtime\":\"runq\"},\"Config\":{"      \
	"\"Env\":[\"A=1\",\"RUNQ_NOEXEC=1\"]}}"

static void
says(const char *json, const char *sentence)
{
	struct docker_container c = {.id = NULL};
	struct err err = {""};

	if (!ok(docker_parse(json, strlen(json), "box", &c, &err) == -1 &&
		    strstr(err.msg, sentence) != NULL,
		"%s", sentence))
		printf("# %s\n", err.msg);
	docker_container_free(&c);
}

static void
test_container(void)
{
	struct docker_container c = {.id = NULL};
	struct err err;

	is_int(docker_parse(RUNNING, strlen(RUNNING), "box", &c, &err), 0,
	    "a running container");
	is_str(c.id, ID, "its id");
	is_str(c.runtime, "runq", "its runtime");
	ok(c.noexec, "its RUNQ_NOEXEC");
	docker_container_free(&c);
	says("{\"Id\":\"" ID "\",\"State\":{\"Running\":false,"
	     "\"Status\":\"exited\"}}",
	    "box is not running (exited)");
	says("{\"Id\":\"" ID "\",\"State\":{\"Running\":true,"
	     "\"Paused\":true}}",
	    "box is paused");
	says("{\"Id\":\"../x\",\"State\":{\"Running\":true}}", "Docker API");
	says("{\"State\":{}}", "Id: missing");
	says("<html>", "not JSON");
	says("[]", "Docker API");
}

/* A Docker API that gives one answer, for the path that it expects. */
static struct docker_host
serve(const char *path, const char *answer)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct docker_host h = {.tcp = false};
	char request[4096] = "", want[256];
	int l = socket(AF_UNIX, SOCK_STREAM, 0), fd;
	ssize_t n;

	snprintf(h.path, sizeof h.path, "/tmp/runq-unit-%d.docker", getpid());
	strcpy(sa.sun_path, h.path);
	unlink(h.path);
	if (bind(l, (struct sockaddr *)&sa, sizeof sa) == -1 ||
	    listen(l, 1) == -1)
		exit(1);
	fflush(stdout);
	if (fork() == 0) {
		alarm(20);
		fd = accept(l, NULL, NULL);
		n = read(fd, request, sizeof request - 1);
		snprintf(want, sizeof want, "GET %s HTTP/1.1\r\n", path);
		if (n > 0 && strncmp(request, want, strlen(want)) == 0 &&
		    write(fd, answer, strlen(answer)) > 0)
			_exit(0);
		_exit(1);
	}
	close(l);
	return h;
}

static void
find_says(const char *name, const char *path, const char *answer,
    const char *sentence)
{
	struct docker_host h = serve(path, answer);
	struct docker_container c;
	struct err err = {""};

	if (!ok(docker_find(&h, name, &c, &err) == -1 &&
		    strstr(err.msg, sentence) != NULL,
		"%s", sentence))
		printf("# %s\n", err.msg);
	docker_container_free(&c);
	unlink(h.path);
	wait(NULL);
}

static void
test_find(void)
{
	struct docker_container c;
	struct docker_host h;
	char text[2048];
	struct err err = {""};

	snprintf(text, sizeof text, CHUNKED "%zx\r\n%s\r\n0\r\n\r\n",
	    strlen(RUNNING), RUNNING);
	h = serve("/containers/0123/json", text);
	is_int(docker_find(&h, "0123", &c, &err), 0, "by short id, chunked");
	is_str(c.id, ID, "the whole id");
	docker_container_free(&c);
	unlink(h.path);
	wait(NULL);
	find_says("box", "/containers/box/json",
	    "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}",
	    "no such container: box");
	find_says("ab", "/containers/ab/json",
	    "HTTP/1.1 500 Oops\r\n\r\n{\"message\":\"multiple IDs found with "
	    "provided prefix: ab\"}",
	    "multiple IDs found");
	find_says("ab", "/containers/ab/json", "HTTP/1.1 500 Oops\r\n\r\n",
	    "status 500");
	find_says(
	    "ab", "/containers/ab/json", "bye\r\n", "not an HTTP/1 response");
	is_int(docker_find(&h, "../info", &c, &err), -1, "refused: ../info");
	is_int(docker_find(&h, "a b", &c, &err), -1, "refused: a b");
	is_int(docker_find(&h, "", &c, &err), -1, "refused: an empty name");
	is_int(docker_find(&h, "-x", &c, &err), -1, "refused: -x");
	ok(docker_find(&h, "box", &c, &err) == -1 &&
		strstr(err.msg, "Docker API at /tmp/") != NULL,
	    "no Docker there");

	h = serve(
	    "/info", OK "\r\n{\"Runtimes\":{\"r\":{\"path\":\"/x/runq\"}}}");
	is_int(docker_runtime_is_runq(&h, "r"), 1, "a runtime that is runq");
	unlink(h.path);
	wait(NULL);
	h = serve("/info", OK "\r\n{\"Runtimes\":{\"r\":{\"path\":\"runc\"}}}");
	is_int(docker_runtime_is_runq(&h, "r"), 0, "one that is not");
	unlink(h.path);
	wait(NULL);
	h = serve("/info", OK "\r\n{\"Runtimes\":{}}");
	is_int(docker_runtime_is_runq(&h, "r"), -1, "one that is unknown");
	unlink(h.path);
	wait(NULL);
}

static void
test_address(void)
{
	struct sockaddr_un sa;
	char id[128] = "", name[REXEC_NAME_SIZE];
	socklen_t len;
	struct err err;

	memset(id, 'a', 96);
	is_int(rexec_addr(id, &sa, &len, &err), 0, "an id of 96 characters");
	ok(sa.sun_path[0] == '\0' && len <= sizeof sa, "abstract");
	id[96] = 'a';
	is_int(rexec_addr(id, &sa, &len, &err), -1, "97 are too many");
	rexec_name(id, name);
	is_int((long long)strlen(name), 63, "63 of them in the handshake");
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_cli();
	test_host();
	test_http();
	test_container();
	test_find();
	test_address();
	return done_testing();
}
