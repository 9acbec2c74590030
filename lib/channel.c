/* SPDX-License-Identifier: Apache-2.0
 * One end of the channel between supervisor and agent: frames in, frames out,
 * flow control per stream. */
#include "lib/channel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lib/buf.h"

#define STREAMS 3
/* Control frames that may wait for a peer that does not read, bytes. */
#define CONTROL_MAX (1u << 20)
/* Credits are held back while so much output waits, so that a peer which
 * sends but never reads cannot make the output grow. */
#define OUTPUT_SOFT (1u << 20)
/* Streams wait for their turn while so much output waits: what is typed into
 * one session is not behind everything that all others send. */
#define DATA_SOFT (1u << 18)
/* Consumed bytes are given back in portions: fewer frames, window still
 * three quarters open. */
#define CREDIT_PORTIONS 4
/* A reader's window doubles when it has consumed so many of them. */
#define GROW_WINDOWS 4

/* One stream is used in one direction: we write it or we read it. A reader's
 * size is what the peer may still send, what is owed to it, and what was
 * delivered and not consumed. */
struct stream {
	TAILQ_ENTRY(stream) next; /* while waiting */
	uint32_t id;
	uint32_t window; /* writer: may send; reader: peer may send */
	uint32_t owed;	 /* reader: consumed, not yet given back */
	uint32_t size;	 /* reader */
	uint32_t moved;	 /* reader: consumed since size changed */
	bool waiting;	 /* writer: for its turn */
	bool eof;	 /* sent or received */
	bool stopped;	 /* STOP received or sent */
};

struct session {
	struct stream streams[STREAMS];
};

struct channel {
	enum channel_side side;
	struct channel_handler handler;
	void *arg;
	size_t control_max; /* payload of a control frame that comes in */

	struct session *sessions[WIRE_SESSIONS_MAX];
	bool known[WIRE_SESSIONS_MAX]; /* was open once */

	/* input: the frame under way */
	uint8_t head[WIRE_HEADER];
	size_t head_len;
	struct wire_header frame;
	uint32_t payload_left; /* of a stream frame, bytes to come */
	bool in_payload;
	struct buf payload; /* of a control frame split by the carrier */

	/* output */
	struct buf out;
	uint64_t appended, drained; /* bytes, ever */
	size_t control;		    /* control bytes not known to be sent */
	size_t control_at_mark;
	uint64_t mark;
	bool credits_held;
	TAILQ_HEAD(, stream) waiting;
	bool waking; /* writers are called, one after the other */
	bool turn;   /* the one that is called has not written yet */
	size_t *spare;
};

/* ---- sessions and streams ------------------------------------------------ */

static bool
we_write(const struct channel *ch, uint32_t stream)
{
	return (stream % 4 == WIRE_STDIN) == (ch->side == CHANNEL_HOST);
}

static struct stream *
stream_find(const struct channel *ch, uint32_t stream)
{
	uint32_t s = wire_session_of(stream);

	if (s >= WIRE_SESSIONS_MAX || stream % 4 >= STREAMS ||
	    ch->sessions[s] == NULL)
		return NULL;
	return &ch->sessions[s]->streams[stream % 4];
}

int
channel_open(struct channel *ch, uint32_t session, struct err *err)
{
	struct session *s;

	if (session >= WIRE_SESSIONS_MAX)
		return err_set(err, "session %u (allowed: below %d)", session,
		    WIRE_SESSIONS_MAX);
	if (ch->sessions[session] != NULL)
		return err_set(err, "session %u is open already", session);
	if ((s = calloc(1, sizeof *s)) == NULL)
		return err_sys(err, "session %u", session);
	for (uint32_t i = 0; i < STREAMS; i++)
		s->streams[i] = (struct stream){.id = session * 4 + i,
		    .window = WIRE_WINDOW_MIN,
		    .size = WIRE_WINDOW_MIN};
	ch->sessions[session] = s;
	ch->known[session] = true;
	return 0;
}

void
channel_close(struct channel *ch, uint32_t session)
{
	struct session *s;

	if (session >= WIRE_SESSIONS_MAX || (s = ch->sessions[session]) == NULL)
		return;
	for (int i = 0; i < STREAMS; i++) {
		if (s->streams[i].waiting)
			TAILQ_REMOVE(&ch->waiting, &s->streams[i], next);
		if (ch->spare != NULL)
			*ch->spare += s->streams[i].size - WIRE_WINDOW_MIN;
	}
	free(s);
	ch->sessions[session] = NULL;
}

struct channel *
channel_new(
    enum channel_side side, const struct channel_handler *handler, void *arg)
{
	struct channel *ch;

	if ((ch = calloc(1, sizeof *ch)) == NULL)
		return NULL;
	ch->side = side;
	ch->control_max = WIRE_SPEC_MAX;
	ch->handler = *handler;
	ch->arg = arg;
	buf_init(&ch->payload, WIRE_SPEC_MAX);
	buf_init(&ch->out, SIZE_MAX / 2);
	TAILQ_INIT(&ch->waiting);
	return ch;
}

void
channel_limit(struct channel *ch, size_t max)
{
	ch->control_max = max;
}

void
channel_share(struct channel *ch, size_t *spare)
{
	ch->spare = spare;
}

void
channel_free(struct channel *ch)
{
	if (ch == NULL)
		return;
	for (uint32_t i = 0; i < WIRE_SESSIONS_MAX; i++)
		channel_close(ch, i);
	buf_free(&ch->payload);
	buf_free(&ch->out);
	free(ch);
}

/* ---- output -------------------------------------------------------------- */

static uint8_t *
frame_reserve(struct channel *ch, size_t payload)
{
	return buf_reserve(&ch->out, WIRE_HEADER + payload);
}

static void
frame_commit(struct channel *ch, uint8_t *p, enum wire_type type, uint32_t id,
    size_t len)
{
	struct wire_header h = {type, id, (uint32_t)len};

	wire_header_put(p, &h);
	buf_commit(&ch->out, WIRE_HEADER + len);
	ch->appended += WIRE_HEADER + len;
}

static int
frame_put(struct channel *ch, enum wire_type type, uint32_t id,
    const void *payload, size_t len)
{
	uint8_t *p = frame_reserve(ch, len);

	if (p == NULL)
		return -1;
	if (len > 0)
		memcpy(p + WIRE_HEADER, payload, len);
	frame_commit(ch, p, type, id, len);
	return 0;
}

int
channel_send(struct channel *ch, enum wire_type type, uint32_t session,
    const void *payload, size_t len, struct err *err)
{
	bool large = type == WIRE_START || type == WIRE_EXEC;

	if (!large && ch->control + len > CONTROL_MAX)
		return err_set(err, "%s frame: the peer does not read",
		    wire_type_name(type));
	if (len > WIRE_SPEC_MAX)
		return err_set(err, "%s frame of %zu bytes (allowed: %u)",
		    wire_type_name(type), len, WIRE_SPEC_MAX);
	if (frame_put(ch, type, session, payload, len) == -1)
		return err_set(
		    err, "%s frame: out of memory", wire_type_name(type));
	if (!large)
		ch->control += WIRE_HEADER + len;
	return 0;
}

int
channel_send_u32(struct channel *ch, enum wire_type type, uint32_t session,
    uint32_t v, struct err *err)
{
	uint8_t p[4];

	wire_put_u32(p, v);
	return channel_send(ch, type, session, p, sizeof p, err);
}

int
channel_send_u32x2(struct channel *ch, enum wire_type type, uint32_t session,
    uint32_t a, uint32_t b, struct err *err)
{
	uint8_t p[8];

	wire_put_u32(p, a);
	wire_put_u32(p + 4, b);
	return channel_send(ch, type, session, p, sizeof p, err);
}

int
channel_send_text(struct channel *ch, enum wire_type type, uint32_t session,
    uint32_t v, const char *text, struct err *err)
{
	uint8_t p[4 + WIRE_TEXT_MAX];
	size_t n = strlen(text);

	if (n > WIRE_TEXT_MAX)
		n = WIRE_TEXT_MAX;
	wire_put_u32(p, v);
	memcpy(p + 4, text, n);
	return channel_send(ch, type, session, p, 4 + n, err);
}

size_t
channel_window(const struct channel *ch, uint32_t stream)
{
	const struct stream *s = stream_find(ch, stream);

	if (s == NULL || s->eof || s->stopped || !we_write(ch, stream))
		return 0;
	return s->window;
}

/* May this stream write now? Else it is called when its turn comes. Who waits
 * goes first: there is room only when nobody does. */
static bool
has_turn(struct channel *ch, struct stream *s)
{
	if (ch->waking ? ch->turn : buf_len(&ch->out) < DATA_SOFT)
		return true;
	if (!s->waiting) {
		s->waiting = true;
		TAILQ_INSERT_TAIL(&ch->waiting, s, next);
	}
	return false;
}

uint8_t *
channel_reserve(struct channel *ch, uint32_t stream, size_t *n)
{
	size_t window = channel_window(ch, stream);
	uint8_t *p;

	if (*n > window)
		*n = window;
	if (*n > WIRE_DATA_MAX)
		*n = WIRE_DATA_MAX;
	if (*n == 0 || !has_turn(ch, stream_find(ch, stream)) ||
	    (p = frame_reserve(ch, *n)) == NULL)
		return NULL;
	return p + WIRE_HEADER;
}

void
channel_commit(struct channel *ch, uint32_t stream, size_t n)
{
	uint8_t *p;

	if (n == 0 || (p = frame_reserve(ch, n)) == NULL)
		return; /* the room is there: reserve came before */
	frame_commit(ch, p, WIRE_DATA, stream, n);
	ch->turn = false;
	stream_find(ch, stream)->window -= (uint32_t)n;
}

size_t
channel_write(struct channel *ch, uint32_t stream, const void *data, size_t len)
{
	const uint8_t *src = data;
	size_t done = 0, n;
	uint8_t *p;

	while (done < len) {
		n = len - done;
		if ((p = channel_reserve(ch, stream, &n)) == NULL)
			break;
		memcpy(p, src + done, n);
		channel_commit(ch, stream, n);
		done += n;
	}
	return done;
}

void
channel_send_eof(struct channel *ch, uint32_t stream)
{
	struct stream *s = stream_find(ch, stream);

	if (s == NULL || s->eof || !we_write(ch, stream))
		return;
	s->eof = true;
	frame_put(ch, WIRE_EOF, stream, NULL, 0);
}

void
channel_send_stop(struct channel *ch, uint32_t stream)
{
	struct stream *s = stream_find(ch, stream);

	if (s == NULL || s->stopped || we_write(ch, stream))
		return;
	s->stopped = true;
	if (!s->eof)
		frame_put(ch, WIRE_STOP, stream, NULL, 0);
}

static void
credit_send(struct channel *ch, uint32_t stream, struct stream *s)
{
	uint8_t p[4];

	if (s->owed < s->size / CREDIT_PORTIONS || s->eof || s->stopped)
		return;
	if (buf_len(&ch->out) > OUTPUT_SOFT) {
		ch->credits_held = true;
		return;
	}
	wire_put_u32(p, s->owed);
	s->window += s->owed;
	s->owed = 0;
	frame_put(ch, WIRE_CREDIT, stream, p, sizeof p);
}

/* A stream that moves much gets a larger window, while there is spare room. */
static void
grow(struct channel *ch, struct stream *s, size_t n)
{
	uint32_t more = s->size;

	s->moved += (uint32_t)n;
	if (s->moved / GROW_WINDOWS < s->size)
		return;
	s->moved = 0;
	if (s->size == WIRE_WINDOW_MAX || ch->spare == NULL ||
	    *ch->spare < more)
		return;
	*ch->spare -= more;
	s->size += more;
	s->owed += more;
}

void
channel_consumed(struct channel *ch, uint32_t stream, size_t n)
{
	struct stream *s = stream_find(ch, stream);

	if (s == NULL || we_write(ch, stream))
		return;
	s->owed += (uint32_t)n;
	grow(ch, s, n);
	credit_send(ch, stream, s);
}

const uint8_t *
channel_output(const struct channel *ch, size_t *len)
{
	*len = buf_len(&ch->out);
	return *len > 0 ? buf_data(&ch->out) : NULL;
}

static void
credits_release(struct channel *ch)
{
	ch->credits_held = false;
	for (uint32_t i = 0; i < WIRE_SESSIONS_MAX; i++)
		for (uint32_t k = 0; ch->sessions[i] != NULL && k < STREAMS;
		     k++)
			if (!we_write(ch, i * 4 + k))
				credit_send(ch, i * 4 + k,
				    &ch->sessions[i]->streams[k]);
}

/* Each stream that waits may send one frame, the longest waiting first. */
static void
wake(struct channel *ch)
{
	struct stream *s;

	if (ch->waking)
		return;
	ch->waking = true;
	while (buf_len(&ch->out) < DATA_SOFT &&
	    (s = TAILQ_FIRST(&ch->waiting)) != NULL) {
		TAILQ_REMOVE(&ch->waiting, s, next);
		s->waiting = false;
		ch->turn = true;
		ch->handler.writable(ch->arg, s->id);
	}
	ch->waking = false;
}

void
channel_output_drain(struct channel *ch, size_t n)
{
	buf_drain(&ch->out, n);
	ch->drained += n;
	if (ch->drained >= ch->mark) {
		/* all that was counted at the mark has left */
		ch->control -= ch->control_at_mark;
		ch->control_at_mark = ch->control;
		ch->mark = ch->appended;
	}
	if (ch->credits_held && buf_len(&ch->out) <= OUTPUT_SOFT)
		credits_release(ch);
	wake(ch);
}

/* ---- input --------------------------------------------------------------- */

static bool
is_stream_type(enum wire_type t)
{
	return t == WIRE_DATA || t == WIRE_EOF || t == WIRE_CREDIT ||
	    t == WIRE_STOP;
}

/* May this side receive it? */
static bool
is_for(enum wire_type t, enum channel_side side)
{
	if (t == WIRE_DNS_QUERY || t == WIRE_DNS_ANSWER)
		return true;
	return (t >= WIRE_HELLO && t <= WIRE_LOG) == (side == CHANNEL_HOST);
}

/* Is this frame allowed here and now? */
static int
frame_check(struct channel *ch, struct err *err)
{
	const struct wire_header *h = &ch->frame;
	const char *name = wire_type_name(h->type);
	uint32_t session = h->id;
	struct stream *s;

	if (!is_stream_type(h->type)) {
		if (!is_for(h->type, ch->side))
			return err_set(
			    err, "%s frame in the wrong direction", name);
		if (h->id >= WIRE_SESSIONS_MAX)
			return err_set(
			    err, "%s frame for session %u", name, h->id);
		if (h->length > ch->control_max)
			return err_set(err,
			    "%s frame of %u bytes (allowed: "
			    "up to %zu)",
			    name, h->length, ch->control_max);
		return 0;
	}
	session = wire_session_of(h->id);
	if (session >= WIRE_SESSIONS_MAX || h->id % 4 >= STREAMS ||
	    !ch->known[session])
		return err_set(
		    err, "%s frame for stream %u, never opened", name, h->id);
	if ((h->type == WIRE_DATA || h->type == WIRE_EOF) ==
	    we_write(ch, h->id))
		return err_set(err,
		    "%s frame on stream %u in the wrong "
		    "direction",
		    name, h->id);
	if (h->type != WIRE_DATA || (s = stream_find(ch, h->id)) == NULL)
		return 0;
	if (s->eof)
		return err_set(err, "DATA frame after EOF on stream %u", h->id);
	if (h->length > s->window)
		return err_set(err,
		    "DATA frame of %u bytes on stream %u, "
		    "window %u",
		    h->length, h->id, s->window);
	s->window -= h->length;
	return 0;
}

static int
credit_received(
    struct channel *ch, struct stream *s, uint32_t n, struct err *err)
{
	bool was_empty = s->window == 0;

	if (n == 0 || n > WIRE_WINDOW_MAX - s->window)
		return err_set(err,
		    "CREDIT frame of %u on stream %u, window "
		    "%u",
		    n, ch->frame.id, s->window);
	s->window += n;
	if (was_empty && !s->eof && !s->stopped)
		ch->handler.writable(ch->arg, ch->frame.id);
	return 0;
}

/* A whole frame other than DATA. */
static int
frame_deliver(struct channel *ch, const uint8_t *p, size_t len, struct err *err)
{
	const struct wire_header *h = &ch->frame;
	struct stream *s;

	if (!is_stream_type(h->type)) {
		ch->handler.message(ch->arg, h->type, h->id, p, len);
		return 0;
	}
	if ((s = stream_find(ch, h->id)) == NULL)
		return 0; /* crossed our close */
	switch (h->type) {
	case WIRE_EOF:
		if (s->eof)
			return err_set(err, "second EOF on stream %u", h->id);
		s->eof = true;
		if (!s->stopped)
			ch->handler.eof(ch->arg, h->id);
		return 0;
	case WIRE_STOP:
		if (!s->stopped) {
			s->stopped = true;
			ch->handler.stopped(ch->arg, h->id);
		}
		return 0;
	default:
		return credit_received(ch, s, wire_get_u32(p), err);
	}
}

/* Takes header bytes; returns how many, -1 on a frame that is not allowed. */
static ssize_t
input_header(struct channel *ch, const uint8_t *p, size_t len, struct err *err)
{
	size_t n = WIRE_HEADER - ch->head_len;

	if (n > len)
		n = len;
	memcpy(ch->head + ch->head_len, p, n);
	ch->head_len += n;
	if (ch->head_len < WIRE_HEADER)
		return (ssize_t)n;
	ch->head_len = 0;
	if (wire_header_get(ch->head, &ch->frame, err) == -1 ||
	    frame_check(ch, err) == -1)
		return -1;
	if (ch->frame.length == 0)
		return frame_deliver(ch, NULL, 0, err) == -1 ? -1 : (ssize_t)n;
	ch->in_payload = true;
	ch->payload_left = ch->frame.length;
	return (ssize_t)n;
}

/* DATA goes on as it comes, without waiting for the rest of its frame. */
static size_t
input_data(struct channel *ch, const uint8_t *p, size_t len)
{
	uint32_t id = ch->frame.id;
	struct stream *s = stream_find(ch, id);

	if (len > ch->payload_left)
		len = ch->payload_left;
	ch->payload_left -= (uint32_t)len;
	if (ch->payload_left == 0)
		ch->in_payload = false;
	if (s != NULL && !s->stopped)
		ch->handler.data(ch->arg, id, p, len);
	return len;
}

static ssize_t
input_control(struct channel *ch, const uint8_t *p, size_t len, struct err *err)
{
	size_t have = buf_len(&ch->payload), n = ch->frame.length - have;
	int r;

	if (n > len) {
		if (buf_append(&ch->payload, p, len) == -1)
			return err_set(err, "%s frame: out of memory",
			    wire_type_name(ch->frame.type));
		return (ssize_t)len;
	}
	ch->in_payload = false;
	if (have == 0)
		return frame_deliver(ch, p, n, err) == -1 ? -1 : (ssize_t)n;
	if (buf_append(&ch->payload, p, n) == -1)
		return err_set(err, "%s frame: out of memory",
		    wire_type_name(ch->frame.type));
	r = frame_deliver(ch, buf_data(&ch->payload), ch->frame.length, err);
	buf_free(&ch->payload);
	return r == -1 ? -1 : (ssize_t)n;
}

int
channel_input(struct channel *ch, const void *data, size_t len, struct err *err)
{
	const uint8_t *p = data;
	ssize_t n;

	while (len > 0) {
		if (!ch->in_payload)
			n = input_header(ch, p, len, err);
		else if (ch->frame.type == WIRE_DATA)
			n = (ssize_t)input_data(ch, p, len);
		else
			n = input_control(ch, p, len, err);
		if (n == -1)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
