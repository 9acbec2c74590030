/* SPDX-License-Identifier: Apache-2.0
 * Unit tests of the QMP client against a scripted QEMU: the other end of a
 * socketpair, on the same event loop. */
#include "qmp/qmp.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json.h"
#include "t/tap.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define STAMP "\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}"
#define PATIENCE_S 30 /* nothing here takes so long unless it fails */
#define LONG_MS 60000
#define LINES_MAX 600

static struct {
	struct event_base *base;
	struct qmp *q;
	int peer; /* QEMU's end */
	struct event *peer_event, *guard;
	bool late;
	char log[4096]; /* what the client's callbacks were told, in order */
	/* what QEMU received: lines, and the fd that came with each */
	char *line[LINES_MAX];
	int fd[LINES_MAX];
	unsigned lines;
	char *partial;
	size_t partial_len;
	int partial_fd;
	const char *free_at; /* the log line whose callback frees the client */
} w;

static struct err err;

/* ---- the client's callbacks write a log --------------------------------- */

__attribute__((format(printf, 1, 2))) static void
note(const char *fmt, ...)
{
	size_t n = strlen(w.log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w.log + n, sizeof w.log - n, fmt, ap);
	va_end(ap);
	if (w.free_at != NULL && strstr(w.log + n, w.free_at) == w.log + n) {
		w.free_at = NULL;
		qmp_free(w.q);
		w.q = NULL;
	}
	n = strlen(w.log);
	snprintf(w.log + n, sizeof w.log - n, "|");
}

static void
ready_cb(void *arg)
{
	(void)arg;
	note("ready");
}

static void
event_cb(void *arg, const char *name, struct json_object *data)
{
	(void)arg;
	note("event %s %s", name,
	    data != NULL ? json_object_to_json_string_ext(data, 0) : "-");
}

static void
closed_cb(void *arg, const char *why)
{
	(void)arg;
	note("closed %s", why);
}

static void
reply_cb(void *arg, struct json_object *ret, const char *error)
{
	note("%s %s", (const char *)arg,
	    error != NULL ? error : json_object_to_json_string_ext(ret, 0));
}

static const struct qmp_handler handler = {ready_cb, event_cb, closed_cb};

/* ---- the scripted QEMU -------------------------------------------------- */

static void
peer_line_end(void)
{
	if (w.lines == LINES_MAX)
		abort();
	w.partial[w.partial_len] = '\0';
	w.line[w.lines] = w.partial;
	w.fd[w.lines++] = w.partial_fd;
	w.partial = NULL;
	w.partial_len = 0;
	w.partial_fd = -1;
}

/* Reads as QEMU's monitor does, byte by byte: an fd belongs to the command
 * whose byte it came with. */
static void
peer_cb(evutil_socket_t fd, short what, void *arg)
{
	char c, space[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {&c, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cm;

	ssize_t n;

	(void)what;
	(void)arg;
	for (;;) {
		msg.msg_control = space;
		msg.msg_controllen = sizeof space;
		n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n <= 0)
			break;
		cm = CMSG_FIRSTHDR(&msg);
		if (cm != NULL && cm->cmsg_type == SCM_RIGHTS) {
			if (w.partial_len != 0)
				note("fd amid a command");
			memcpy(&w.partial_fd, CMSG_DATA(cm), sizeof(int));
		}
		if (w.partial_len % 4096 == 0)
			w.partial = realloc(w.partial, w.partial_len + 4097);
		w.partial[w.partial_len++] = c;
		if (c == '\n')
			peer_line_end();
	}
	if (n == 0 || errno != EAGAIN)
		event_del(w.peer_event);
}

static void
say(const char *text)
{
	if (write(w.peer, text, strlen(text)) != (ssize_t)strlen(text))
		note("fake QEMU: write: %s", strerror(errno));
}

/* Answers the command of line i (from 0), whatever its id is. */
static void
answer(unsigned i, const char *member)
{
	struct json_object *o = json_tokener_parse(w.line[i]), *id = NULL;
	char text[512];

	json_object_object_get_ex(o, "id", &id);
	snprintf(text, sizeof text, "{\"id\": %s, %s}\r\n",
	    json_object_get_string(id), member);
	json_object_put(o);
	say(text);
}

/* ---- scaffolding -------------------------------------------------------- */

static void
guard_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	w.late = true;
}

static bool
until_log(const char *text)
{
	while (strstr(w.log, text) == NULL && !w.late)
		event_base_loop(w.base, EVLOOP_ONCE);
	return strstr(w.log, text) != NULL;
}

static bool
until_lines(unsigned n)
{
	while (w.lines < n && !w.late)
		event_base_loop(w.base, EVLOOP_ONCE);
	return w.lines >= n;
}

static void
begin(int greeting_ms, const struct qmp_handler *h)
{
	struct timeval patience = {PATIENCE_S, 0};
	int sv[2];

	memset(&w, 0, sizeof w);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		abort();
	w.base = event_base_new();
	w.peer = sv[1];
	w.partial_fd = -1;
	w.peer_event =
	    event_new(w.base, sv[1], EV_READ | EV_PERSIST, peer_cb, NULL);
	event_add(w.peer_event, NULL);
	w.guard = evtimer_new(w.base, guard_cb, NULL);
	event_add(w.guard, &patience);
	w.q = qmp_new(w.base, sv[0], greeting_ms, h, NULL, &err);
}

static void
end(void)
{
	ok(!w.late, "nothing waited for too long");
	qmp_free(w.q);
	for (unsigned i = 0; i < w.lines; i++) {
		free(w.line[i]);
		if (w.fd[i] != -1)
			close(w.fd[i]);
	}
	free(w.partial);
	event_free(w.peer_event);
	event_free(w.guard);
	event_base_free(w.base);
	if (w.peer != -1)
		close(w.peer);
}

/* A client that is ready: line 0 was its negotiation, the log is empty. */
static void
begin_ready(void)
{
	begin(LONG_MS, &handler);
	say(GREETING);
	until_lines(1);
	answer(0, "\"return\": {}");
	until_log("ready|");
	w.log[0] = '\0';
}

static int
run(const char *command, int deadline_ms)
{
	static char names[LINES_MAX][16];
	static unsigned n;
	char *name = names[n++ % LINES_MAX];

	snprintf(name, 16, "%s", command);
	return qmp_execute(
	    w.q, command, NULL, -1, deadline_ms, reply_cb, name, &err);
}

static void
peer_close(void)
{
	event_del(w.peer_event);
	close(w.peer);
	w.peer = -1;
}

/* ---- tests -------------------------------------------------------------- */

static void
test_negotiation(void)
{
	begin(LONG_MS, &handler);
	is_int(run("early", LONG_MS), 0, "a command before the greeting");
	say(GREETING);
	ok(until_lines(1), "the greeting is answered");
	is_str(w.line[0], "{\"execute\":\"qmp_capabilities\",\"id\":2}\r\n",
	    "by the negotiation");
	say("{\"event\": \"RESUME\", " STAMP "}\r\n");
	until_log("RESUME");
	is_int(w.lines, 1, "nothing more before its reply");
	answer(0, "\"return\": {}");
	until_lines(2);
	is_str(w.line[1], "{\"execute\":\"early\",\"id\":1}\r\n",
	    "then the early command");
	is_int(qmp_pending(w.q), 1, "which is pending");
	answer(1, "\"return\": 5");
	until_log("early 5");
	is_str(w.log, "event RESUME -|ready|early 5|", "in this order");
	is_int(qmp_pending(w.q), 0, "and no longer pending");
	end();
}

static void
test_replies(void)
{
	begin_ready();
	run("a", LONG_MS);
	run("b", LONG_MS);
	run("c", LONG_MS);
	qmp_execute(w.q, "d", NULL, -1, LONG_MS, NULL, NULL, &err);
	until_lines(5);
	is_int(qmp_pending(w.q), 4, "four commands without waiting");
	answer(3, "\"return\": [3]");
	answer(4, "\"return\": {}");
	answer(1,
	    "\"error\": {\"class\": \"GenericError\", \"desc\": "
	    "\"Bus 'pci.0' not \\u001b[2Jfound\"}");
	answer(2, "\"return\": null");
	until_log("b null");
	is_str(w.log, "c [3]|a a: Bus 'pci.0' not \\x1b[2Jfound|b null|",
	    "replies out of order; errors printable");
	is_int(qmp_pending(w.q), 0, "none is pending");
	end();
}

static void
test_events(void)
{
	begin_ready();
	say("{\"event\": \"STOP\", " STAMP "}\r\n{\"event\": \"SHUTDOWN\", "
	    "\"data\": {\"guest\": true}, " STAMP "}\r\n{\"ev");
	until_log("SHUTDOWN");
	say("ent\": \"RESET\", " STAMP "}\r\n");
	until_log("RESET");
	is_str(w.log,
	    "event STOP -|event SHUTDOWN {\"guest\":true}|event RESET -|",
	    "events, two in a read and one in two");
	end();
}

/* QEMU says text; each way the client must end with that sentence. */
static void
ends_with(const char *text, const char *sentence, const char *name)
{
	char want[512];

	begin_ready();
	run("cont", LONG_MS);
	run("stop", LONG_MS);
	until_lines(3);
	if (text != NULL)
		say(text);
	else
		peer_close();
	until_log("closed ");
	snprintf(want, sizeof want, "cont cont: %s|stop stop: %s|closed %s|",
	    sentence, sentence, sentence);
	is_str(w.log, want, name);
	is_int(qmp_pending(w.q), 0, "nothing is pending");
	is_int(run("late", LONG_MS), -1, "a command after it is refused");
	ok(strstr(err.msg, sentence) != NULL, "with the reason: %s", err.msg);
	end();
}

static void
test_ends(void)
{
	ends_with(NULL, "QEMU closed the QMP connection", "end of file");
	ends_with("{\"return\": {}, \"id\": 77}\r\n",
	    "QEMU answered QMP command 77, which is not waiting for a reply",
	    "a reply nobody asked for");
	ends_with("{\"return\": {}, \"id\": 1}\r\n",
	    "QEMU answered QMP command 1, which is not waiting for a reply",
	    "a second reply to a command");
	ends_with("{\"return\": {}}\r\n",
	    "QEMU sent a QMP return without an id", "a reply without id");
	ends_with("{\"error\": {\"class\": \"GenericError\", \"desc\": "
		  "\"JSON parse error\"}}\r\n",
	    "QEMU sent a QMP error without an id: JSON parse error",
	    "an error without id");
	ends_with(GREETING, "QEMU sent a second QMP greeting", "two greetings");
	ends_with("\x1b[31mgarbage",
	    "QMP: a message starts with \"\\x1b\", not with \"{\"", "garbage");
	ends_with("{\"event\": {}}\r\n",
	    "QMP event.event: object, must be string", "a malformed event");
}

static void
test_end_amid_message(void)
{
	begin_ready();
	say("{\"event\": \"SHUTDOWN\", " STAMP "}\r\n{\"event\": \"ST");
	peer_close();
	is_int(run("cont", LONG_MS), 0, "a command to a QEMU that is gone");
	until_log("closed ");
	is_str(w.log,
	    "event SHUTDOWN -|"
	    "cont cont: QEMU closed the QMP connection amid a message|"
	    "closed QEMU closed the QMP connection amid a message|",
	    "its last words come first");
	end();
}

static void
test_before_ready(void)
{
	begin(LONG_MS, &handler);
	say("{\"event\": \"STOP\", " STAMP "}\r\n");
	until_log("closed ");
	is_str(w.log, "closed QEMU's first QMP message is not the greeting|",
	    "an event before the greeting");
	end();

	begin(LONG_MS, &handler);
	run("early", LONG_MS);
	say(GREETING);
	until_lines(1);
	answer(0, "\"error\": {\"class\": \"C\", \"desc\": \"no\"}");
	until_log("closed ");
	is_str(w.log,
	    "early early: qmp_capabilities: no|"
	    "closed qmp_capabilities: no|",
	    "a failed negotiation");
	end();

	begin(LONG_MS, &handler);
	run("early", LONG_MS);
	peer_close();
	until_log("closed ");
	is_str(w.log,
	    "early early: QEMU closed the QMP connection|"
	    "closed QEMU closed the QMP connection|",
	    "end of file before the greeting");
	end();
}

static void
test_deadlines(void)
{
	begin(20, &handler);
	until_log("closed ");
	is_str(w.log, "closed QEMU gave no QMP greeting within 20 ms|",
	    "no greeting");
	end();

	begin(200, &handler);
	say(GREETING);
	until_log("closed ");
	is_str(w.log, "closed QEMU gave no QMP capabilities within 200 ms|",
	    "no answer to the negotiation");
	end();

	begin(LONG_MS, &handler);
	run("early", 20);
	until_log("closed ");
	is_str(w.log,
	    "early early: QEMU did not answer early within 20 ms|"
	    "closed QEMU did not answer early within 20 ms|",
	    "a deadline passes before the greeting");
	end();

	begin_ready();
	run("slow", LONG_MS);
	run("quick", 20);
	until_log("closed ");
	is_str(w.log,
	    "slow slow: QEMU did not answer quick within 20 ms|"
	    "quick quick: QEMU did not answer quick within 20 ms|"
	    "closed QEMU did not answer quick within 20 ms|",
	    "the earliest deadline counts");
	end();

	begin_ready();
	run("first", 100);
	until_lines(2);
	answer(1, "\"return\": {}");
	until_log("first {}");
	run("second", 20);
	until_log("closed ");
	ok(strstr(w.log, "did not answer second") != NULL,
	    "an answered command has no deadline");
	end();
}

static bool
same_file(int fd, const struct stat *want)
{
	struct stat st;

	return fd != -1 && fstat(fd, &st) == 0 && st.st_ino == want->st_ino &&
	    st.st_dev == want->st_dev;
}

/* No write end of the pipe is open but the one that QEMU got as fd. */
static bool
is_last_writer(int pipe_read, int *fd)
{
	char c;

	close(*fd);
	*fd = -1;
	fcntl(pipe_read, F_SETFL, O_NONBLOCK);
	return read(pipe_read, &c, 1) == 0;
}

static bool
fd_is_closed(int fd)
{
	return fcntl(fd, F_GETFD) == -1 && errno == EBADF;
}

static void
test_fds(void)
{
	struct json_object *args = json_object_new_object();
	struct stat st[2];
	int a[2], b[2];

	begin_ready();
	if (pipe2(a, O_CLOEXEC) == -1 || pipe2(b, O_CLOEXEC) == -1)
		abort();
	fstat(a[1], &st[0]);
	fstat(b[1], &st[1]);
	json_object_object_add(args, "fdname", json_object_new_string("t0"));
	run("before", LONG_MS);
	qmp_execute(w.q, "getfd", args, a[1], LONG_MS, NULL, NULL, &err);
	qmp_execute(w.q, "getfd", NULL, b[1], LONG_MS, NULL, NULL, &err);
	run("after", LONG_MS);
	until_lines(5);
	is_int(w.fd[1], -1, "no fd with the command before");
	ok(same_file(w.fd[2], &st[0]), "the first fd with its command");
	ok(same_file(w.fd[3], &st[1]), "the second with its own");
	is_int(w.fd[4], -1, "none with the command after");
	ok(strstr(w.line[2], "\"fdname\":\"t0\"") != NULL, "arguments too");
	ok(is_last_writer(a[0], &w.fd[2]), "our copy is closed");
	ok(is_last_writer(b[0], &w.fd[3]), "and that of the second");
	is_str(w.log, "", "each with its command's first byte");
	close(a[0]);
	close(b[0]);
	end();
}

/* A command of about n bytes. */
static int
run_large(size_t n, int fd)
{
	struct json_object *args = json_object_new_object();
	char *text = malloc(n + 1);

	memset(text, 'y', n);
	text[n] = '\0';
	json_object_object_add(args, "x", json_object_new_string(text));
	free(text);
	return qmp_execute(w.q, "large", args, fd, LONG_MS, NULL, NULL, &err);
}

static void
test_full_socket(void)
{
	const size_t mib = 1 << 20;
	struct stat st;
	int p[2], q[2];

	begin_ready();
	if (pipe2(p, O_CLOEXEC) == -1 || pipe2(q, O_CLOEXEC) == -1)
		abort();
	fstat(p[1], &st);
	event_del(w.peer_event);
	run_large(mib, -1);
	run_large(mib, -1);
	is_int(run_large(mib, p[1]), 0, "QEMU does not read: 3 MiB wait");
	is_int(run_large(mib, q[1]), -1, "4 MiB and a bit are too much");
	ok(fd_is_closed(q[1]), "the refused command's fd is closed");
	ok(strstr(err.msg, "large: more than") == err.msg, "%s", err.msg);
	event_base_loop(w.base, EVLOOP_NONBLOCK);
	event_add(w.peer_event, NULL);
	until_lines(4);
	for (unsigned i = 1; i < 4; i++)
		ok(w.lines == 4 && strlen(w.line[i]) > mib &&
			strcmp(strchr(w.line[i], '\n') - 6, "yy\"}}\r\n") == 0,
		    "large command %u arrives whole", i);
	ok(same_file(w.fd[3], &st), "the fd with the last of them");
	is_int(run_large(mib, -1), 0, "then there is room again");
	close(p[0]);
	close(q[0]);
	end();
}

static void
test_pending_max(void)
{
	int p[2], bad = 0;

	begin_ready();
	for (int i = 0; i < QMP_PENDING_MAX; i++)
		bad += run("many", LONG_MS) != 0;
	is_int(bad, 0, "256 commands may wait");
	if (pipe2(p, O_CLOEXEC) == -1)
		abort();
	is_int(qmp_execute(w.q, "more", json_object_new_object(), p[1], LONG_MS,
		   NULL, NULL, &err),
	    -1, "one more may not");
	is_str(err.msg, "more: 256 QMP commands wait for a reply", "says so");
	ok(fd_is_closed(p[1]), "its fd is closed");
	close(p[0]);
	until_lines(QMP_PENDING_MAX + 1);
	answer(1, "\"return\": {}");
	until_log("many {}");
	is_int(run("more", LONG_MS), 0, "after a reply it may");
	w.log[0] = '\0';
	end();
}

static void
chain_cb(void *arg, struct json_object *ret, const char *error)
{
	int *left = arg;

	(void)ret;
	if (error != NULL) {
		note("%d %s", *left, error);
		if (qmp_execute(w.q, "retry", NULL, -1, LONG_MS, chain_cb, arg,
			&err) == -1)
			note("refused %s", err.msg);
	} else if (--*left > 0) {
		qmp_execute(
		    w.q, "next", NULL, -1, LONG_MS, chain_cb, arg, &err);
	} else {
		note("done");
	}
}

static void
test_execute_in_callbacks(void)
{
	int left = 3;

	begin_ready();
	qmp_execute(w.q, "next", NULL, -1, LONG_MS, chain_cb, &left, &err);
	for (unsigned i = 1; i <= 3; i++) {
		until_lines(i + 1);
		answer(i, "\"return\": {}");
	}
	until_log("done");
	is_str(w.log, "done|", "a reply's callback gives the next command");
	left = 9;
	qmp_execute(w.q, "next", NULL, -1, LONG_MS, chain_cb, &left, &err);
	peer_close();
	until_log("closed");
	is_str(w.log,
	    "done|9 next: QEMU closed the QMP connection|"
	    "refused retry: QEMU closed the QMP connection|"
	    "closed QEMU closed the QMP connection|",
	    "and is refused when the connection is over");
	end();
}

/* The callback that writes the log line `at` frees the client; what QEMU said
 * after that must reach nobody. */
static void
freed_at(const char *at, const char *text, const char *log)
{
	begin_ready();
	run("a", LONG_MS);
	run("b", LONG_MS);
	until_lines(3);
	w.free_at = at;
	if (text != NULL)
		say(text);
	else
		peer_close();
	until_log(at);
	event_base_loop(w.base, EVLOOP_NONBLOCK);
	is_str(w.log, log, "freed in a callback");
	ok(w.q == NULL, "freed at %s", at);
	end();
}

static void
test_free_in_callbacks(void)
{
	begin(LONG_MS, &handler);
	run("a", LONG_MS);
	say(GREETING);
	until_lines(1);
	w.free_at = "ready";
	answer(0, "\"return\": {}");
	until_log("ready");
	event_base_loop(w.base, EVLOOP_NONBLOCK);
	is_str(w.log, "ready|", "freed in ready");
	end();

	freed_at("event STOP",
	    "{\"event\": \"STOP\", " STAMP "}\r\n"
	    "{\"event\": \"RESET\", " STAMP "}\r\n",
	    "event STOP -|");
	freed_at("a {}",
	    "{\"return\": {}, \"id\": 2}\r\n"
	    "{\"return\": {}, \"id\": 3}\r\n",
	    "a {}|");
	freed_at("a a: QEMU", NULL, "a a: QEMU closed the QMP connection|");
	freed_at("b b: QEMU", NULL,
	    "a a: QEMU closed the QMP connection|"
	    "b b: QEMU closed the QMP connection|");
	freed_at("closed", "garbage",
	    "a a: QMP: a message starts with \"g\", not with \"{\"|"
	    "b b: QMP: a message starts with \"g\", not with \"{\"|"
	    "closed QMP: a message starts with \"g\", not with \"{\"|");

	begin(20, &handler);
	w.free_at = "closed";
	until_log("closed");
	ok(w.q == NULL, "freed when the greeting's deadline passes");
	end();
}

static void
test_edges(void)
{
	static const struct qmp_handler deaf;

	ok(qmp_new(NULL, -1, 10, &handler, NULL, &err) == NULL,
	    "no client on a bad fd: %s", err.msg);
	qmp_free(NULL);

	begin(LONG_MS, &deaf);
	say(GREETING "{\"event\": \"STOP\", " STAMP "}\r\n");
	until_lines(1);
	answer(0, "\"return\": {}");
	run("a", LONG_MS);
	until_lines(2);
	peer_close();
	until_log("a a: ");
	is_str(w.log, "a a: QEMU closed the QMP connection|",
	    "a handler without functions");
	end();

	begin_ready();
	run("a", LONG_MS);
	run("b", LONG_MS);
	qmp_free(w.q);
	w.q = NULL;
	event_base_loop(w.base, EVLOOP_NONBLOCK);
	is_str(w.log, "", "freed with commands pending: nobody is told");
	end();
}

int
main(void)
{
	test_negotiation();
	test_replies();
	test_events();
	test_ends();
	test_end_amid_message();
	test_before_ready();
	test_deadlines();
	test_fds();
	test_full_socket();
	test_pending_max();
	test_execute_in_callbacks();
	test_free_in_callbacks();
	test_edges();
	return done_testing();
}
