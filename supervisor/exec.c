/* SPDX-License-Identifier: Apache-2.0
 * Exec sessions.
 *
 * A relay connects, hands over the process to be started and its own stdio,
 * and then only passes on signals and waits for the exit code: the bytes go
 * from the channel to the relay's stdio without it. When the relay goes away
 * early, its process in the guest loses its terminal (SIGHUP) or its stdin and
 * the readers of its output, and the session ends when the process does.
 */
#include "supervisor/exec.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/relay.h"
#include "supervisor/sessions.h"
#include "supervisor/stdio.h"

enum phase {
	PH_ASKED,
	PH_RUNNING,
	PH_FLUSH,
	PH_DONE
};

struct session {
	LIST_ENTRY(session) next;
	struct exec *owner;
	uint32_t id; /* 0: START has not come */
	enum phase phase;
	int fd; /* the relay, or -1: gone */
	struct event *ev;
	struct stdio *stdio;
	uint32_t code;
	bool terminal;
};

struct exec {
	struct event_base *base;
	struct channel *ch;
	struct exec_handler handler;
	void *arg;
	int listen_fd;
	struct event *ev;
	struct sessions *sessions;
	LIST_HEAD(, session) all;
};

/* ---- end of a session ---------------------------------------------------- */

static void
session_free(struct session *s)
{
	LIST_REMOVE(s, next);
	if (s->id != 0)
		sessions_close(s->owner->sessions, s->id);
	stdio_free(s->stdio);
	if (s->ev != NULL)
		event_free(s->ev);
	cleanup_closep(&s->fd);
	free(s);
}

/* Tells the relay how it ended; s is gone afterwards. */
static void
session_end(struct session *s, uint32_t code, const char *text, size_t len)
{
	struct relay_message m = {.type = RELAY_EXIT, .value = code};

	if (len >= sizeof m.text)
		len = sizeof m.text - 1;
	memcpy(m.text, text, len);
	if (s->stdio != NULL) {
		/* the terminal is given back before the relay speaks */
		stdio_free(s->stdio);
		s->stdio = NULL;
	}
	if (s->fd != -1)
		send(s->fd, &m, sizeof m, MSG_NOSIGNAL | MSG_DONTWAIT);
	session_free(s);
}

static void
refuse(struct session *s, const struct err *err)
{
	session_end(s, 125, err->msg, strlen(err->msg));
}

static void
relay_gone(struct session *s)
{
	struct channel *ch = s->owner->ch;

	if (s->id == 0 || s->phase == PH_FLUSH) {
		session_free(s);
		return;
	}
	event_free(s->ev);
	s->ev = NULL;
	close(take_fd(&s->fd));
	stdio_free(s->stdio);
	s->stdio = NULL;
	channel_send_eof(ch, wire_stream_id(s->id, WIRE_STDIN));
	channel_send_stop(ch, wire_stream_id(s->id, WIRE_STDOUT));
	channel_send_stop(ch, wire_stream_id(s->id, WIRE_STDERR));
	s->owner->handler.kick(s->owner->arg);
}

/* ---- stdio --------------------------------------------------------------- */

static void
exec_kick_cb(void *arg)
{
	struct exec *x = ((struct session *)arg)->owner;

	x->handler.kick(x->arg);
}

static void
exec_flush_cb(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	(void)fd;
	(void)what;
	session_end(s, s->code, "", 0);
}

static void
exec_flushed_cb(void *arg)
{
	const struct timeval now = {0, 0};
	struct session *s = arg;

	if (s->phase != PH_FLUSH)
		return;
	/* once, and not from within stdio's own callback */
	s->phase = PH_DONE;
	event_base_once(s->owner->base, -1, EV_TIMEOUT, exec_flush_cb, s, &now);
}

static const struct stdio_handler stdio_cb = {exec_kick_cb, exec_flushed_cb};

/* ---- the channel --------------------------------------------------------- */

static int
session_message_cb(void *arg, enum wire_type type, const uint8_t *p, size_t len)
{
	struct session *s = arg;

	if (type == WIRE_STARTED && s->phase == PH_ASKED) {
		s->phase = PH_RUNNING;
		if (s->stdio != NULL)
			stdio_start(s->stdio);
	} else if (type == WIRE_FAILED && s->phase == PH_ASKED) {
		session_end(
		    s, wire_get_u32(p) & 0xff, (const char *)p + 4, len - 4);
	} else if (type == WIRE_EXIT && s->phase == PH_RUNNING) {
		s->code = wire_get_u32(p) & 0xff;
		s->phase = PH_FLUSH;
		if (s->stdio == NULL || stdio_pending(s->stdio) == 0)
			session_end(s, s->code, "", 0);
	} else {
		return -1;
	}
	return 0;
}

static void
session_data_cb(void *arg, uint32_t stream, const uint8_t *p, size_t n)
{
	struct session *s = arg;

	if (s->stdio != NULL)
		stdio_data(s->stdio, stream, p, n);
}

static void
session_eof_cb(void *arg, uint32_t stream)
{
	struct session *s = arg;

	if (s->stdio != NULL)
		stdio_eof(s->stdio, stream);
}

static void
session_writable_cb(void *arg, uint32_t stream)
{
	struct session *s = arg;

	(void)stream;
	if (s->stdio != NULL)
		stdio_writable(s->stdio);
}

static void
session_stopped_cb(void *arg, uint32_t stream)
{
	struct session *s = arg;

	(void)stream;
	if (s->stdio != NULL)
		stdio_stopped(s->stdio);
}

static const struct session_ops session_cb = {
    .message = session_message_cb,
    .data = session_data_cb,
    .eof = session_eof_cb,
    .writable = session_writable_cb,
    .stopped = session_stopped_cb,
};

/* ---- START --------------------------------------------------------------- */

static struct json_object *
read_process(int fd, struct err *err)
{
	struct json_object *o;
	struct stat st;
	void *text;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    st.st_size > (off_t)WIRE_SPEC_MAX / 2) {
		err_set(err, "exec: the process is no file of 1 to %u bytes",
		    WIRE_SPEC_MAX / 2);
		return NULL;
	}
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED) {
		err_sys(err, "exec: mmap");
		return NULL;
	}
	o = json_parse(text, (size_t)st.st_size, "exec", err);
	munmap(text, (size_t)st.st_size);
	return o;
}

static int
send_exec(struct session *s, struct json_object *process, struct err *err)
{
	AUTO_JSON struct json_object *doc = json_object_new_object();
	struct json_object *t;
	uint32_t rows, columns;
	const char *text;
	size_t len;

	json_object_object_add(doc, "process", json_object_get(process));
	if (stdio_without_stdin(s->stdio))
		json_object_object_add(
		    doc, "stdin_null", json_object_new_boolean(1));
	if (stdio_size(s->stdio, &rows, &columns)) {
		t = json_object_new_object();
		json_object_object_add(t, "rows", json_object_new_int64(rows));
		json_object_object_add(
		    t, "columns", json_object_new_int64(columns));
		json_object_object_add(
		    t, "onlcr", json_object_new_boolean(stdio_onlcr(s->stdio)));
		json_object_object_add(doc, "terminal", t);
	}
	text = json_object_to_json_string_length(
	    doc, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	return channel_send(s->owner->ch, WIRE_EXEC, s->id, text, len, err);
}

/* fds: process, stdin, stdout, stderr; owned. */
static int
begin(struct session *s, int fds[RELAY_START_FDS], struct err *err)
{
	AUTO_JSON struct json_object *process = NULL;
	struct exec *x = s->owner;

	process = read_process(fds[0], err);
	close(fds[0]);
	if (process == NULL ||
	    json_opt_bool(process, "process", "terminal", &s->terminal, err) ==
		-1 ||
	    (s->id = sessions_open(x->sessions, &session_cb, s, err)) == 0) {
		for (int i = 1; i < RELAY_START_FDS; i++)
			close(fds[i]);
		return -1;
	}
	s->stdio = stdio_new(
	    x->base, x->ch, s->id, fds + 1, s->terminal, &stdio_cb, s, err);
	if (s->stdio == NULL || send_exec(s, process, err) == -1)
		return -1;
	x->handler.kick(x->arg);
	return 0;
}

/* ---- messages of the relay ----------------------------------------------- */

/* One packet and the fds that came with it. n of recvmsg(2). */
static ssize_t
receive(int fd, struct relay_message *m, int fds[RELAY_START_FDS], size_t *n)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * RELAY_START_FDS)];
	} control;
	struct iovec iov = {m, sizeof *m};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control};
	struct cmsghdr *c;
	ssize_t r;

	*n = 0;
	r = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (r <= 0)
		return r;
	for (c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		*n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), *n * sizeof(int));
	}
	return r;
}

static void
got_packet(struct session *s, const struct relay_message *m, int *fds, size_t n)
{
	struct exec *x = s->owner;
	uint32_t rows, columns;
	struct err err;

	if (m->type == RELAY_START && s->id == 0 && n == RELAY_START_FDS &&
	    m->value == RELAY_VERSION) {
		if (begin(s, fds, &err) == -1)
			refuse(s, &err);
		return;
	}
	while (n > 0)
		close(fds[--n]);
	if (s->id == 0) {
		err_set(&err, "exec: the relay is not of this installation");
		refuse(s, &err);
	} else if (m->type == RELAY_SIGNAL && m->value >= 1 && m->value <= 64) {
		channel_send_u32(x->ch, WIRE_SIGNAL, s->id, m->value, NULL);
	} else if (m->type == RELAY_RESIZE && s->stdio != NULL &&
	    stdio_size(s->stdio, &rows, &columns)) {
		channel_send_u32x2(
		    x->ch, WIRE_RESIZE, s->id, rows, columns, NULL);
	}
	x->handler.kick(x->arg);
}

static void
exec_relay_cb(evutil_socket_t fd, short what, void *arg)
{
	struct relay_message m;
	int fds[RELAY_START_FDS];
	ssize_t r;
	size_t n;

	(void)what;
	r = receive(fd, &m, fds, &n);
	if (r == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (r < (ssize_t)offsetof(struct relay_message, text)) {
		while (n > 0)
			close(fds[--n]);
		relay_gone(arg);
		return;
	}
	got_packet(arg, &m, fds, n);
}

/* ---- listening ----------------------------------------------------------- */

static void
exec_accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct exec *x = arg;
	struct session *s;
	int c;

	(void)what;
	c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (c == -1)
		return;
	if ((s = calloc(1, sizeof *s)) == NULL) {
		close(c);
		return;
	}
	s->owner = x;
	s->fd = c;
	LIST_INSERT_HEAD(&x->all, s, next);
	s->ev = event_new(x->base, c, EV_READ | EV_PERSIST, exec_relay_cb, s);
	if (s->ev == NULL || event_add(s->ev, NULL) == -1)
		session_free(s);
}

struct exec *
exec_new(struct event_base *base, struct channel *ch, struct sessions *sessions,
    int listen_fd, const struct exec_handler *handler, void *arg,
    struct err *err)
{
	struct exec *x = calloc(1, sizeof *x);

	if (x == NULL) {
		close(listen_fd);
		err_set(err, "out of memory");
		return NULL;
	}
	*x = (struct exec){.base = base,
	    .ch = ch,
	    .sessions = sessions,
	    .handler = *handler,
	    .arg = arg,
	    .listen_fd = listen_fd};
	x->ev = event_new(
	    base, x->listen_fd, EV_READ | EV_PERSIST, exec_accept_cb, x);
	if (x->ev == NULL) {
		err_set(err, "out of memory");
		exec_free(x);
		return NULL;
	}
	return x;
}

int
exec_serve(struct exec *x)
{
	return event_add(x->ev, NULL);
}

void
exec_free(struct exec *x)
{
	if (x == NULL)
		return;
	while (!LIST_EMPTY(&x->all))
		session_free(LIST_FIRST(&x->all));
	if (x->ev != NULL)
		event_free(x->ev);
	cleanup_closep(&x->listen_fd);
	free(x);
}
