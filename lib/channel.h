/* SPDX-License-Identifier: Apache-2.0
 * One end of the channel between supervisor and agent: frames in, frames out,
 * flow control per stream. It does no I/O: the caller feeds it what the
 * carrier (vsock or virtio-serial) delivered and takes what is to be sent.
 *
 * Flow control: the sender of a stream may have a window of bytes in flight,
 * WIRE_WINDOW_MIN of them in the beginning; the receiver gives bytes back by
 * channel_consumed(), and more than that to a stream that moves much, while
 * there is spare room (channel_share()). A peer that sends more than its
 * window, a frame against the direction, or on a session that is not open
 * breaks the protocol: channel_input() fails and the caller drops the carrier.
 *
 * What was received and not consumed is at most WIRE_WINDOW_MIN for each
 * stream and the spare room for all together. What waits to be sent is a few
 * frames, however many streams have something to send: they take turns.
 */
#ifndef LIB_CHANNEL_H
#define LIB_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/wire.h"

struct channel;

enum channel_side {
	CHANNEL_HOST,
	CHANNEL_AGENT
};

/* Called from within channel_input(), writable() also from within
 * channel_output_drain(). Payloads are valid during the call only. A callback
 * may send, consume, open and close; not free the channel. */
struct channel_handler {
	/* a whole control frame whose direction and length were checked */
	void (*message)(void *arg, enum wire_type type, uint32_t session,
	    const uint8_t *payload, size_t len);
	/* stream bytes; later give them back by channel_consumed() */
	void (*data)(void *arg, uint32_t stream, const uint8_t *p, size_t n);
	void (*eof)(void *arg, uint32_t stream);
	/* a stream that could not be written can: the window opened, or it is
	 * its turn, which lasts for this call only */
	void (*writable)(void *arg, uint32_t stream);
	/* the peer no longer reads this stream: drop it, send no more */
	void (*stopped)(void *arg, uint32_t stream);
};

/* handler is copied; arg is the callbacks' first argument. NULL: no memory. */
struct channel *channel_new(
    enum channel_side side, const struct channel_handler *handler, void *arg);
void channel_free(struct channel *ch);

/* Windows may grow by *spare bytes together, which are taken from there and
 * come back when sessions are closed; channels may share them. It outlives the
 * channel. Without it windows stay as they are in the beginning. */
void channel_share(struct channel *ch, size_t *spare);

/*
 * Makes a session known: stream frames for others are refused (frames for a
 * session that was closed are dropped in silence: they crossed the close).
 * Ids below WIRE_SESSIONS_MAX; reuse of a closed id starts afresh.
 */
int channel_open(struct channel *ch, uint32_t session, struct err *err);
void channel_close(struct channel *ch, uint32_t session);

/* A control frame of the peer with more than max bytes of payload breaks the
 * protocol from now on, where the wire itself allows more. */
void channel_limit(struct channel *ch, size_t max);

/* Bytes from the carrier, any split. -1: protocol broken, drop the carrier. */
int channel_input(
    struct channel *ch, const void *data, size_t len, struct err *err);

/* A control frame. -1: the peer does not read and 1 MiB (plus one START or
 * EXEC) of control frames is pending already. */
int channel_send(struct channel *ch, enum wire_type type, uint32_t session,
    const void *payload, size_t len, struct err *err);

/* The same for one or two u32 arguments and text. */
int channel_send_u32(struct channel *ch, enum wire_type type, uint32_t session,
    uint32_t v, struct err *err);
int channel_send_u32x2(struct channel *ch, enum wire_type type,
    uint32_t session, uint32_t a, uint32_t b, struct err *err);
int channel_send_text(struct channel *ch, enum wire_type type, uint32_t session,
    uint32_t v, const char *text, struct err *err);

/* How many bytes may be sent on this stream now (0 after EOF or STOP). */
size_t channel_window(const struct channel *ch, uint32_t stream);

/*
 * Stream bytes without a copy: reserve gives room for up to *n bytes (cut to
 * window and WIRE_DATA_MAX; NULL when nothing can go before writable()), the
 * caller read(2)s into it, commit sends the first n of them (0: nothing).
 * Nothing else may be called on the channel in between.
 */
uint8_t *channel_reserve(struct channel *ch, uint32_t stream, size_t *n);
void channel_commit(struct channel *ch, uint32_t stream, size_t n);

/* Copies up to len bytes; returns how many the window took. */
size_t channel_write(
    struct channel *ch, uint32_t stream, const void *data, size_t len);

/* No more data from us on this stream; once. */
void channel_send_eof(struct channel *ch, uint32_t stream);
/* We no longer read this stream: what still arrives is dropped here. */
void channel_send_stop(struct channel *ch, uint32_t stream);

/* n bytes of what data() delivered are out of our hands. */
void channel_consumed(struct channel *ch, uint32_t stream, size_t n);

/* What the carrier should send next, and how much of it was sent. */
const uint8_t *channel_output(const struct channel *ch, size_t *len);
void channel_output_drain(struct channel *ch, size_t n);

#endif
