/* SPDX-License-Identifier: Apache-2.0
 * One verified client of runq-exec, joined to its session in the guest.
 *
 *	client  ==TLS==  channel (agent's side)   p->ch
 *	                    |  three streams, control frames
 *	                 channel (host's side)    env->guest  ==carrier==  agent
 *
 * Both ends have windows, and bytes are given back to the one who sent them
 * only when the other one's window has taken them. So what waits here is never
 * more than a window for each stream, plus twice OUT_SOFT bytes that were
 * framed and wait for the socket, however long a client does not read.
 *
 * When the client goes away early, its process in the guest loses its terminal
 * (SIGHUP) or its stdin and the readers of its output; the session ends when
 * the process does.
 */
#include "supervisor/exec_proxy.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/channel.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/rexec.h"
#include "supervisor/exec_process.h"
#include "supervisor/sessions.h"
#include "supervisor/tls.h"

/* Bytes that may wait for the socket before more is framed; one read of it. */
#define OUT_SOFT 16384
#define IN_MAX 16384
/* A verified client says what it wants within so many seconds. */
#define EXEC_DEADLINE 5

/* stdout or stderr of the guest, not yet taken by the client's window */
struct out {
	struct buf pending;
	bool eof;
};

struct exec_proxy {
	const struct exec_proxy_env *env;
	struct bufferevent *bev; /* NULL: the client is gone */
	struct channel *ch;	 /* to the client */
	struct event *ev;	 /* deadline for EXEC; then the end */
	uint32_t id;		 /* of the session in the guest; 0: none */
	bool asked, started;
	struct buf in; /* stdin, not yet taken by the guest's window */
	bool in_eof;
	struct out outs[2];
	bool exited; /* EXIT is to be sent when all output was */
	uint32_t code;
	bool finished; /* the last frame was sent */
	bool broken;   /* the client does not speak the protocol */
	bool over;
	char who[128];
};

static void client_gone(struct exec_proxy *p);

/* ---- the end ------------------------------------------------------------- */

/* Client and process are gone. Not from within the callbacks of what is to be
 * freed. */
static void
end(struct exec_proxy *p)
{
	p->over = true;
	event_active(p->ev, EV_TIMEOUT, 0);
}

static void
proxy_end_cb(evutil_socket_t fd, short what, void *arg)
{
	struct exec_proxy *p = arg;

	(void)fd;
	(void)what;
	if (!p->over)
		log_info("runq-exec: %s: asked for nothing", p->who);
	p->env->over(p->env->arg, p);
}

/* ---- to the client ------------------------------------------------------- */

static size_t
waiting(const struct exec_proxy *p)
{
	return evbuffer_get_length(bufferevent_get_output(p->bev));
}

/* Hands frames to the socket, as far as it is not behind. */
static void
flush(struct exec_proxy *p)
{
	const uint8_t *data;
	size_t len;

	while (waiting(p) < OUT_SOFT &&
	    (data = channel_output(p->ch, &len)) != NULL) {
		if (len > OUT_SOFT)
			len = OUT_SOFT;
		if (bufferevent_write(p->bev, data, len) == -1)
			return;
		channel_output_drain(p->ch, len);
	}
}

/* One portion; false when nothing can go. */
static bool
pump_stream(struct exec_proxy *p, int i)
{
	struct out *o = &p->outs[i];
	uint32_t stream = wire_stream_id(REXEC_SESSION, i + WIRE_STDOUT);
	size_t len = buf_len(&o->pending), n;

	if (len == 0 || waiting(p) >= OUT_SOFT)
		return false;
	n = channel_write(p->ch, stream, buf_data(&o->pending),
	    len < OUT_SOFT ? len : OUT_SOFT);
	buf_drain(&o->pending, n);
	if (p->id != 0)
		channel_consumed(
		    p->env->guest, wire_stream_id(p->id, i + WIRE_STDOUT), n);
	flush(p);
	return n > 0;
}

/* Everything that waits for the client's window or for the socket. */
static void
pump(struct exec_proxy *p)
{
	bool moved, any = false;

	if (p->bev == NULL)
		return;
	do {
		moved = pump_stream(p, 0);
		moved = pump_stream(p, 1) || moved;
		any = any || moved;
	} while (moved);
	if (any) /* the guest gets its window back */
		p->env->kick(p->env->arg);
	for (int i = 0; i < 2; i++) {
		struct out *o = &p->outs[i];

		if (buf_len(&o->pending) > 0)
			continue;
		buf_free(&o->pending);
		if (o->eof)
			channel_send_eof(p->ch,
			    wire_stream_id(REXEC_SESSION, i + WIRE_STDOUT));
	}
	if (p->exited && !p->finished && buf_len(&p->outs[0].pending) == 0 &&
	    buf_len(&p->outs[1].pending) == 0) {
		p->finished = true;
		channel_send_u32(
		    p->ch, WIRE_EXIT, REXEC_SESSION, p->code, NULL);
	}
	flush(p);
}

/* The process was never executed: a code and a sentence. */
static void
say_failed(struct exec_proxy *p, uint32_t code, const char *text)
{
	if (p->ch == NULL)
		return;
	p->finished = true;
	channel_send_text(p->ch, WIRE_FAILED, REXEC_SESSION, code, text, NULL);
	flush(p);
}

/* ---- from the guest ------------------------------------------------------ */

static void
guest_done(struct exec_proxy *p)
{
	sessions_close(p->env->sessions, p->id);
	p->id = 0;
	buf_free(&p->in);
	if (p->bev == NULL)
		end(p);
}

static int
guest_message_cb(void *arg, enum wire_type type, const uint8_t *m, size_t len)
{
	struct exec_proxy *p = arg;
	char text[WIRE_TEXT_MAX + 1];

	if (type == WIRE_STARTED && !p->started) {
		p->started = true;
		if (p->ch != NULL)
			channel_send(p->ch, type, REXEC_SESSION, m, len, NULL);
		pump(p);
	} else if (type == WIRE_FAILED && !p->started) {
		memcpy(text, m + 4, len - 4);
		text[len - 4] = '\0';
		say_failed(p, wire_get_u32(m) & 0xff, text);
		guest_done(p);
	} else if (type == WIRE_EXIT && p->started) {
		p->exited = true;
		p->code = wire_get_u32(m) & 0xff;
		guest_done(p);
		pump(p);
	} else {
		return -1;
	}
	return 0;
}

static void
guest_data_cb(void *arg, uint32_t stream, const uint8_t *data, size_t n)
{
	struct exec_proxy *p = arg;
	struct out *o = &p->outs[stream % 4 == WIRE_STDERR];

	if (p->bev == NULL)
		return; /* crossed our STOP */
	/* the window is the bound: this fails without memory only */
	if (buf_append(&o->pending, data, n) == -1)
		client_gone(p);
	else
		pump(p);
}

static void
guest_eof_cb(void *arg, uint32_t stream)
{
	struct exec_proxy *p = arg;

	p->outs[stream % 4 == WIRE_STDERR].eof = true;
	pump(p);
}

/* stdin: to the guest, as far as its window goes. */
static void
push(struct exec_proxy *p)
{
	uint32_t stream = wire_stream_id(p->id, WIRE_STDIN);
	size_t n;

	n = channel_write(
	    p->env->guest, stream, buf_data(&p->in), buf_len(&p->in));
	buf_drain(&p->in, n);
	if (p->ch != NULL) {
		channel_consumed(
		    p->ch, wire_stream_id(REXEC_SESSION, WIRE_STDIN), n);
		flush(p);
	}
	if (buf_len(&p->in) == 0) {
		buf_free(&p->in);
		if (p->in_eof)
			channel_send_eof(p->env->guest, stream);
	}
	p->env->kick(p->env->arg);
}

static void
guest_writable_cb(void *arg, uint32_t stream)
{
	(void)stream;
	push(arg);
}

static void
guest_stopped_cb(void *arg, uint32_t stream)
{
	struct exec_proxy *p = arg;

	(void)stream;
	buf_free(&p->in);
	if (p->ch == NULL)
		return;
	channel_send_stop(p->ch, wire_stream_id(REXEC_SESSION, WIRE_STDIN));
	flush(p);
}

static const struct session_ops guest_ops = {
    .message = guest_message_cb,
    .data = guest_data_cb,
    .eof = guest_eof_cb,
    .writable = guest_writable_cb,
    .stopped = guest_stopped_cb,
};

/* ---- from the client ----------------------------------------------------- */

static int
begin(struct exec_proxy *p, const uint8_t *m, size_t len, struct err *err)
{
	AUTO_FREE char *text = NULL, *args0 = NULL;
	size_t n;

	text = exec_process(p->env->container, m, len, &n, &args0, err);
	if (text == NULL)
		return -1;
	p->id = sessions_open(p->env->sessions, &guest_ops, p, err);
	if (p->id == 0)
		return -1;
	if (channel_send(p->env->guest, WIRE_EXEC, p->id, text, n, err) == -1) {
		guest_done(p);
		return -1;
	}
	log_info("runq-exec: %s: session %u: %.256s", p->who, p->id, args0);
	p->env->kick(p->env->arg);
	return 0;
}

static void
got_exec(struct exec_proxy *p, const uint8_t *m, size_t len)
{
	struct err err;

	p->asked = true;
	event_del(p->ev);
	if (begin(p, m, len, &err) == -1)
		say_failed(p, 125, err.msg);
}

static void
client_message_cb(void *arg, enum wire_type type, uint32_t session,
    const uint8_t *m, size_t len)
{
	struct exec_proxy *p = arg;
	uint32_t a = len >= 4 ? wire_get_u32(m) : 0;

	if (type == WIRE_EXEC && session == REXEC_SESSION && !p->asked) {
		got_exec(p, m, len);
	} else if (session != REXEC_SESSION || !p->asked ||
	    (type != WIRE_SIGNAL && type != WIRE_RESIZE)) {
		log_info("runq-exec: %s: sent %s at the wrong time", p->who,
		    wire_type_name(type));
		p->broken = true;
	} else if (p->id == 0) {
		return; /* crossed the end of the session */
	} else if (type == WIRE_SIGNAL && a >= 1 && a <= 64) {
		channel_send_u32(p->env->guest, type, p->id, a, NULL);
		p->env->kick(p->env->arg);
	} else if (type == WIRE_RESIZE && a <= 65535 &&
	    wire_get_u32(m + 4) <= 65535) {
		channel_send_u32x2(
		    p->env->guest, type, p->id, a, wire_get_u32(m + 4), NULL);
		p->env->kick(p->env->arg);
	}
}

static void
client_data_cb(void *arg, uint32_t stream, const uint8_t *data, size_t n)
{
	struct exec_proxy *p = arg;

	(void)stream;
	if (p->id == 0)
		return;
	if (buf_append(&p->in, data, n) == -1)
		p->broken = true;
	else
		push(p);
}

static void
client_eof_cb(void *arg, uint32_t stream)
{
	struct exec_proxy *p = arg;

	(void)stream;
	p->in_eof = true;
	if (p->id != 0)
		push(p);
}

static void
client_writable_cb(void *arg, uint32_t stream)
{
	(void)stream;
	pump(arg);
}

static void
client_stopped_cb(void *arg, uint32_t stream)
{
	struct exec_proxy *p = arg;

	buf_free(&p->outs[stream % 4 == WIRE_STDERR].pending);
	if (p->id == 0)
		return;
	channel_send_stop(p->env->guest, wire_stream_id(p->id, stream % 4));
	p->env->kick(p->env->arg);
}

static const struct channel_handler client_ops = {
    .message = client_message_cb,
    .data = client_data_cb,
    .eof = client_eof_cb,
    .writable = client_writable_cb,
    .stopped = client_stopped_cb,
};

/* ---- the connection ------------------------------------------------------ */

/* Not called from within channel_input() of p->ch. */
static void
client_gone(struct exec_proxy *p)
{
	if (p->bev == NULL)
		return;
	tls_close(p->bev);
	p->bev = NULL;
	channel_free(p->ch);
	p->ch = NULL;
	buf_free(&p->outs[0].pending);
	buf_free(&p->outs[1].pending);
	if (p->id == 0) {
		end(p);
		return;
	}
	p->in_eof = true;
	buf_free(&p->in);
	push(p);
	channel_send_stop(p->env->guest, wire_stream_id(p->id, WIRE_STDOUT));
	channel_send_stop(p->env->guest, wire_stream_id(p->id, WIRE_STDERR));
	p->env->kick(p->env->arg);
}

static void
proxy_read_cb(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct exec_proxy *p = arg;
	struct err err;
	size_t n;

	while ((n = evbuffer_get_contiguous_space(in)) > 0) {
		if (channel_input(p->ch, evbuffer_pullup(in, (ev_ssize_t)n), n,
			&err) == -1) {
			log_info("runq-exec: %s: %s", p->who, err.msg);
			p->broken = true;
		}
		if (p->broken) {
			client_gone(p);
			return;
		}
		evbuffer_drain(in, n);
	}
	pump(p);
}

static void
proxy_write_cb(struct bufferevent *bev, void *arg)
{
	struct exec_proxy *p = arg;
	size_t left;

	(void)bev;
	pump(p);
	if (p->finished && waiting(p) == 0 &&
	    channel_output(p->ch, &left) == NULL)
		client_gone(p);
}

static void
proxy_event_cb(struct bufferevent *bev, short what, void *arg)
{
	struct exec_proxy *p = arg;

	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		client_gone(p);
}

/* ---- life ---------------------------------------------------------------- */

static int
say_hello(struct exec_proxy *p)
{
	uint8_t hello[8 + WIRE_TEXT_MAX];
	size_t n = strlen(p->env->id);

	if (n > WIRE_TEXT_MAX)
		n = WIRE_TEXT_MAX;
	wire_put_u32(hello, WIRE_MAGIC);
	wire_put_u32(hello + 4, WIRE_VERSION);
	memcpy(hello + 8, p->env->id, n);
	if (channel_send(p->ch, WIRE_HELLO, 0, hello, 8 + n, NULL) == -1)
		return -1;
	flush(p);
	return 0;
}

static int
join(struct exec_proxy *p)
{
	const struct timeval deadline = {EXEC_DEADLINE, 0};

	if (p->ev == NULL || p->ch == NULL ||
	    channel_open(p->ch, REXEC_SESSION, NULL) == -1 ||
	    event_add(p->ev, &deadline) == -1)
		return -1;
	channel_limit(p->ch, REXEC_EXEC_MAX);
	channel_share(p->ch, p->env->spare);
	bufferevent_setcb(
	    p->bev, proxy_read_cb, proxy_write_cb, proxy_event_cb, p);
	bufferevent_setwatermark(p->bev, EV_READ, 0, IN_MAX);
	bufferevent_setwatermark(p->bev, EV_WRITE, OUT_SOFT / 2, 0);
	bufferevent_set_max_single_read(p->bev, IN_MAX);
	if (bufferevent_enable(p->bev, EV_READ | EV_WRITE) == -1)
		return -1;
	return say_hello(p);
}

struct exec_proxy *
exec_proxy_new(
    const struct exec_proxy_env *env, struct bufferevent *bev, const char *who)
{
	struct exec_proxy *p = calloc(1, sizeof *p);

	if (p == NULL) {
		tls_close(bev);
		return NULL;
	}
	p->env = env;
	p->bev = bev;
	p->ch = channel_new(CHANNEL_AGENT, &client_ops, p);
	p->ev = evtimer_new(env->base, proxy_end_cb, p);
	buf_init(&p->in, WIRE_WINDOW_MAX);
	buf_init(&p->outs[0].pending, WIRE_WINDOW_MAX);
	buf_init(&p->outs[1].pending, WIRE_WINDOW_MAX);
	snprintf(p->who, sizeof p->who, "%s", who);
	if (join(p) == -1) {
		exec_proxy_free(p);
		return NULL;
	}
	return p;
}

void
exec_proxy_free(struct exec_proxy *p)
{
	if (p->id != 0)
		sessions_close(p->env->sessions, p->id);
	if (p->bev != NULL)
		tls_close(p->bev);
	channel_free(p->ch);
	if (p->ev != NULL)
		event_free(p->ev);
	buf_free(&p->in);
	buf_free(&p->outs[0].pending);
	buf_free(&p->outs[1].pending);
	free(p);
}
