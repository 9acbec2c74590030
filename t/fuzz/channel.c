/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a peer on the channel that does what it likes; what is held
 * for it must stay within the windows. */
#include "lib/channel.h"

#include <stdlib.h>
#include <string.h>

#define SESSIONS 3
#define STREAMS (SESSIONS * 4)

/* WIRE_START and 1 MiB of control frames, and what all windows may hold */
#define OUTPUT_MAX                                                             \
	((size_t)WIRE_SPEC_MAX + (2u << 20) + STREAMS * 2 * WIRE_WINDOW_SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
	struct channel *ch;
	uint8_t policy; /* how our side behaves */
	size_t held[STREAMS];
};

static void
message_cb(void *arg, enum wire_type type, uint32_t session,
    const uint8_t *payload, size_t len)
{
	struct peer *p = arg;
	struct err err;
	volatile uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + payload[i]);
	if (wire_type_name(type)[0] == '?')
		abort();
	if (session >= SESSIONS)
		return;
	if (p->policy & 1)
		channel_close(p->ch, session);
	if ((p->policy & 2) && channel_open(p->ch, session, &err) == 0)
		memset(&p->held[wire_stream_id(session, WIRE_STDIN)], 0,
		    4 * sizeof p->held[0]);
}

static void
data_cb(void *arg, uint32_t stream, const uint8_t *bytes, size_t n)
{
	struct peer *p = arg;

	if (stream >= STREAMS || n == 0 || n > WIRE_DATA_MAX)
		abort();
	p->held[stream] += n;
	if (p->held[stream] > WIRE_WINDOW_SIZE)
		abort();
	if (p->policy & 4) {
		channel_consumed(p->ch, stream, p->held[stream]);
		p->held[stream] = 0;
	}
	if (p->policy & 8) /* echo on another stream */
		channel_write(p->ch, stream ^ 1, bytes, n);
}

static void
stream_cb(void *arg, uint32_t stream)
{
	struct peer *p = arg;
	size_t n = 16;
	uint8_t *room;

	if (stream >= STREAMS)
		abort();
	if (p->policy & 16)
		channel_send_stop(p->ch, stream);
	if ((room = channel_reserve(p->ch, stream, &n)) != NULL) {
		for (size_t i = 0; i < n; i++)
			room[i] = 'x';
		channel_commit(p->ch, stream, n);
	}
	if (p->policy & 32)
		channel_send_eof(p->ch, stream);
}

static const struct channel_handler handler = {
    .message = message_cb,
    .data = data_cb,
    .eof = stream_cb,
    .writable = stream_cb,
    .stopped = stream_cb,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer p = {0};
	struct err err;
	size_t step, n, len;
	int r = 0;

	if (size < 3)
		return 0;
	p.policy = data[0];
	step = (size_t)data[1] + 1;
	p.ch = channel_new(
	    data[0] & 64 ? CHANNEL_HOST : CHANNEL_AGENT, &handler, &p);
	for (uint32_t s = 0; s < SESSIONS; s++)
		if (channel_open(p.ch, s, &err) == -1)
			abort();
	for (size_t at = 2; r == 0 && at < size; at += n) {
		n = step < size - at ? step : size - at;
		r = channel_input(p.ch, data + at, n, &err);
		channel_output(p.ch, &len);
		if (len > OUTPUT_MAX)
			abort();
		if (data[0] & 128)
			channel_output_drain(p.ch, len);
	}
	channel_free(p.ch);
	return 0;
}
