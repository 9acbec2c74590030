/* SPDX-License-Identifier: Apache-2.0
 * A QMP client on libevent: commands, replies, events, deadlines. */
#include "qmp/qmp.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "qmp/codec.h"
#include "qmp/command.h"

/*
 * GREETING -> NEGOTIATING -> READY -> CLOSED, and from each straight to
 * CLOSED. Callbacks are called only from the three event callbacks at the end
 * of this file, never from within a call of our user. A callback may call
 * anything, qmp_free() too: the memory then goes when the event callback
 * returns (dead), and after each callback qmp_open() says whether to go on.
 */
enum qmp_state {
	ST_GREETING,
	ST_NEGOTIATING,
	ST_READY,
	ST_CLOSED
};

#define READ_CHUNK 65536
#define QMP_UNSENT_MAX (4u << 20) /* bytes of commands not sent yet */

struct qmp {
	enum qmp_state state;
	bool busy; /* inside an event callback */
	bool dead; /* freed by a callback */
	int fd;
	struct event *readable, *writable, *timer;
	struct qmp_codec *codec;
	struct qmp_handler handler;
	void *arg;
	int greeting_ms;
	int64_t greeting_deadline;
	uint64_t last_id;
	struct qmp_commands unsent, sent;
	unsigned pending; /* commands in both */
	size_t unsent_bytes;
	char why[ERR_MSG_MAX]; /* once CLOSED */
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool
qmp_open(const struct qmp *q)
{
	return !q->dead && q->state != ST_CLOSED;
}

/* What QEMU wrote may come from the guest: made safe for any terminal. */
static void
escape(char dst[ERR_MSG_MAX], const char *src)
{
	log_escape(dst, ERR_MSG_MAX, src, strlen(src));
}

/* ---- commands ----------------------------------------------------------- */

/* Takes the command out of its list, calls its callback, frees it. */
static void
command_finish(struct qmp *q, struct qmp_commands *list,
    struct qmp_command *cmd, struct json_object *ret, const char *desc)
{
	char text[ERR_MSG_MAX], sentence[ERR_MSG_MAX];

	TAILQ_REMOVE(list, cmd, link);
	if (list == &q->unsent)
		q->unsent_bytes -= cmd->len;
	q->pending--;
	if (desc != NULL) {
		snprintf(text, sizeof text, "%s: %s", cmd->name, desc);
		escape(sentence, text);
	}
	if (cmd->cb != NULL)
		cmd->cb(cmd->arg, ret, desc != NULL ? sentence : NULL);
	qmp_command_free(cmd);
}

/* Ends the connection: the awaited replies first, then closed(). Both go by
 * the order in which the commands were given. */
static void
qmp_close(struct qmp *q, const char *why)
{
	struct qmp_command *cmd;

	if (!qmp_open(q))
		return;
	escape(q->why, why);
	q->state = ST_CLOSED;
	event_del(q->readable);
	event_del(q->writable);
	event_del(q->timer);
	close(q->fd);
	q->fd = -1;
	while (!q->dead && (cmd = TAILQ_FIRST(&q->sent)) != NULL)
		command_finish(q, &q->sent, cmd, NULL, q->why);
	while (!q->dead && (cmd = TAILQ_FIRST(&q->unsent)) != NULL)
		command_finish(q, &q->unsent, cmd, NULL, q->why);
	if (!q->dead && q->handler.closed != NULL)
		q->handler.closed(q->arg, q->why);
}

/* ---- time --------------------------------------------------------------- */

/* The deadline that comes first and what it is for; -1: none. */
static int64_t
next_deadline(const struct qmp *q, const struct qmp_command **cmd)
{
	*cmd = qmp_commands_earliest(
	    &q->unsent, qmp_commands_earliest(&q->sent, NULL));
	if (q->state < ST_READY &&
	    (*cmd == NULL || q->greeting_deadline <= (*cmd)->deadline)) {
		*cmd = NULL;
		return q->greeting_deadline;
	}
	return *cmd != NULL ? (*cmd)->deadline : -1;
}

static void
timer_set(struct qmp *q)
{
	const struct qmp_command *cmd;
	int64_t at, ms;
	struct timeval tv;

	if (!qmp_open(q))
		return;
	if ((at = next_deadline(q, &cmd)) == -1) {
		event_del(q->timer);
		return;
	}
	if ((ms = at - now_ms()) < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	event_add(q->timer, &tv);
}

static void
deadline_check(struct qmp *q)
{
	const struct qmp_command *cmd;
	int64_t at = next_deadline(q, &cmd);
	char why[ERR_MSG_MAX];

	if (at == -1 || at > now_ms())
		return; /* the timer came early: it is set again */
	if (cmd == NULL)
		snprintf(why, sizeof why, "QEMU gave no QMP %s within %d ms",
		    q->state == ST_GREETING ? "greeting" : "capabilities",
		    q->greeting_ms);
	else
		snprintf(why, sizeof why,
		    "QEMU did not answer %.100s within %d ms", cmd->name,
		    cmd->deadline_ms);
	qmp_close(q, why);
}

/* ---- messages ----------------------------------------------------------- */

static void
qmp_negotiated(void *arg, struct json_object *ret, const char *error)
{
	struct qmp *q = arg;

	(void)ret;
	if (error != NULL) {
		qmp_close(q, error); /* nothing when it is closed already */
		return;
	}
	q->state = ST_READY;
	if (!TAILQ_EMPTY(&q->unsent))
		event_add(q->writable, NULL);
	if (q->handler.ready != NULL)
		q->handler.ready(q->arg);
}

/* pass_fd is owned from here on. The caller puts the command into q->unsent. */
static struct qmp_command *
command_make(struct qmp *q, const char *name, struct json_object *args,
    int pass_fd, struct err *err)
{
	struct qmp_command *cmd;

	cmd = qmp_command_new(name, args, q->last_id + 1, pass_fd);
	if (cmd == NULL) {
		err_set(err, "%s: out of memory", name);
		return NULL;
	}
	if (cmd->len > QMP_UNSENT_MAX - q->unsent_bytes) {
		err_set(err, "%s: more than %u bytes for QEMU wait", name,
		    QMP_UNSENT_MAX);
		qmp_command_free(cmd);
		return NULL;
	}
	q->last_id++;
	q->pending++;
	q->unsent_bytes += cmd->len;
	return cmd;
}

static void
on_greeting(struct qmp *q)
{
	struct qmp_command *cmd;
	struct err err;

	if (q->state != ST_GREETING) {
		qmp_close(q, "QEMU sent a second QMP greeting");
		return;
	}
	cmd = command_make(q, "qmp_capabilities", NULL, -1, &err);
	if (cmd == NULL) {
		qmp_close(q, err.msg);
		return;
	}
	cmd->cb = qmp_negotiated;
	cmd->arg = q;
	cmd->deadline = q->greeting_deadline;
	cmd->deadline_ms = q->greeting_ms;
	/* before what was queued early, and alone until it is answered */
	TAILQ_INSERT_HEAD(&q->unsent, cmd, link);
	q->state = ST_NEGOTIATING;
	event_add(q->writable, NULL);
}

static void
on_reply(struct qmp *q, const struct qmp_message *m)
{
	struct qmp_command *cmd;
	char why[ERR_MSG_MAX];

	if ((cmd = qmp_commands_find(&q->sent, m->id)) != NULL) {
		command_finish(q, &q->sent, cmd, m->data, m->desc);
		return;
	}
	/* without an id: QEMU could not read what we sent */
	if (m->id == 0)
		snprintf(why, sizeof why,
		    "QEMU sent a QMP %s without an id%s%s",
		    m->kind == QMP_ERROR ? "error" : "return",
		    m->desc != NULL ? ": " : "",
		    m->desc != NULL ? m->desc : "");
	else
		snprintf(why, sizeof why,
		    "QEMU answered QMP command %" PRIu64
		    ", which is not waiting for a reply",
		    m->id);
	qmp_close(q, why);
}

static void
on_message(struct qmp *q, const struct qmp_message *m)
{
	if (m->kind == QMP_GREETING)
		on_greeting(q);
	else if (q->state == ST_GREETING)
		qmp_close(q, "QEMU's first QMP message is not the greeting");
	else if (m->kind != QMP_EVENT)
		on_reply(q, m);
	else if (q->handler.event != NULL)
		q->handler.event(q->arg, m->name, m->data);
}

/* ---- events of the loop ------------------------------------------------- */

static void
qmp_release(struct qmp *q)
{
	if (q->readable != NULL)
		event_free(q->readable);
	if (q->writable != NULL)
		event_free(q->writable);
	if (q->timer != NULL)
		event_free(q->timer);
	qmp_codec_free(q->codec);
	free(q);
}

/* The end of each event callback: q may be gone after it. */
static void
qmp_leave(struct qmp *q)
{
	q->busy = false;
	if (q->dead)
		qmp_release(q);
	else
		timer_set(q);
}

static void
qmp_input(struct qmp *q, const char *data, size_t len)
{
	struct qmp_message m;
	struct err err;
	int r = 0;

	if (qmp_codec_input(q->codec, data, len, &err) == -1) {
		qmp_close(q, err.msg);
		return;
	}
	while (qmp_open(q) && (r = qmp_codec_next(q->codec, &m, &err)) == 1) {
		on_message(q, &m);
		qmp_message_clear(&m);
	}
	if (r == -1)
		qmp_close(q, err.msg);
}

static void
qmp_read_cb(evutil_socket_t fd, short what, void *arg)
{
	struct qmp *q = arg;
	char chunk[READ_CHUNK], why[ERR_MSG_MAX];
	ssize_t n;

	(void)what;
	q->busy = true;
	n = read(fd, chunk, sizeof chunk);
	if (n > 0) {
		qmp_input(q, chunk, (size_t)n);
	} else if (n == 0 || errno == ECONNRESET) {
		qmp_close(q,
		    qmp_codec_idle(q->codec)
			? "QEMU closed the QMP connection"
			: "QEMU closed the QMP connection amid a message");
	} else if (errno != EAGAIN && errno != EINTR) {
		snprintf(why, sizeof why, "QMP connection: read: %s",
		    strerror(errno));
		qmp_close(q, why);
	}
	qmp_leave(q);
}

static void
qmp_write_cb(evutil_socket_t fd, short what, void *arg)
{
	struct qmp *q = arg;
	struct qmp_command *cmd;
	char why[ERR_MSG_MAX];
	int r = 1;

	(void)what;
	q->busy = true;
	while (r == 1 && (cmd = TAILQ_FIRST(&q->unsent)) != NULL &&
	    (q->state == ST_READY || cmd->cb == qmp_negotiated)) {
		if ((r = qmp_command_send(cmd, fd)) != 1)
			break;
		TAILQ_REMOVE(&q->unsent, cmd, link);
		q->unsent_bytes -= cmd->len;
		TAILQ_INSERT_TAIL(&q->sent, cmd, link);
	}
	if (r == 0) {
		event_add(q->writable, NULL);
	} else if (r == -1 && errno != EPIPE && errno != ECONNRESET) {
		/* those two: QEMU is gone, what it said last is still to be
		 * read and the end of file behind it ends the connection */
		snprintf(why, sizeof why, "QMP connection: send: %s",
		    strerror(errno));
		qmp_close(q, why);
	}
	qmp_leave(q);
}

static void
qmp_timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct qmp *q = arg;

	(void)fd;
	(void)what;
	q->busy = true;
	deadline_check(q);
	qmp_leave(q);
}

/* ---- the interface ------------------------------------------------------ */

struct qmp *
qmp_new(struct event_base *base, int fd, int greeting_ms,
    const struct qmp_handler *handler, void *arg, struct err *err)
{
	struct qmp *q;
	int flags;

	if ((q = calloc(1, sizeof *q)) == NULL) {
		err_set(err, "QMP: out of memory");
		close(fd);
		return NULL;
	}
	q->fd = fd;
	q->handler = *handler;
	q->arg = arg;
	q->greeting_ms = greeting_ms;
	q->greeting_deadline = now_ms() + greeting_ms;
	TAILQ_INIT(&q->unsent);
	TAILQ_INIT(&q->sent);
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
		err_sys(err, "QMP connection: fcntl");
		goto fail;
	}
	q->codec = qmp_codec_new();
	q->readable = event_new(base, fd, EV_READ | EV_PERSIST, qmp_read_cb, q);
	q->writable = event_new(base, fd, EV_WRITE, qmp_write_cb, q);
	q->timer = evtimer_new(base, qmp_timer_cb, q);
	if (q->codec == NULL || q->readable == NULL || q->writable == NULL ||
	    q->timer == NULL || event_add(q->readable, NULL) == -1) {
		err_set(err, "QMP: out of memory");
		goto fail;
	}
	timer_set(q);
	return q;
fail:
	qmp_free(q);
	return NULL;
}

void
qmp_free(struct qmp *q)
{
	if (q == NULL || q->dead)
		return;
	q->dead = true;
	if (q->readable != NULL)
		event_del(q->readable);
	if (q->writable != NULL)
		event_del(q->writable);
	if (q->timer != NULL)
		event_del(q->timer);
	if (q->fd != -1)
		close(q->fd);
	q->fd = -1;
	qmp_commands_clear(&q->unsent);
	qmp_commands_clear(&q->sent);
	if (!q->busy)
		qmp_release(q);
}

int
qmp_execute(struct qmp *q, const char *command, struct json_object *args,
    int pass_fd, int deadline_ms, qmp_reply_cb cb, void *arg, struct err *err)
{
	AUTO_JSON struct json_object *owned = args;
	AUTO_CLOSE int fd = pass_fd;
	struct qmp_command *cmd;

	if (!qmp_open(q))
		return err_set(err, "%s: %s", command, q->why);
	if (q->pending >= QMP_PENDING_MAX)
		return err_set(err, "%s: %u QMP commands wait for a reply",
		    command, q->pending);
	cmd = command_make(q, command, owned, take_fd(&fd), err);
	if (cmd == NULL)
		return -1;
	TAILQ_INSERT_TAIL(&q->unsent, cmd, link);
	cmd->cb = cb;
	cmd->arg = arg;
	cmd->deadline = now_ms() + deadline_ms;
	cmd->deadline_ms = deadline_ms;
	if (q->state == ST_READY)
		event_add(q->writable, NULL);
	if (!q->busy)
		timer_set(q);
	return 0;
}

unsigned
qmp_pending(const struct qmp *q)
{
	return q->pending;
}
