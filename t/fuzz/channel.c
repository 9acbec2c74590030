/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a peer on the channel that does what it likes; what is held
 * for it must stay within the windows. */
#include "lib/channel.h"

#include <stdlib.h>
#include <string.h>

#define SESSIONS 3
#define STREAMS (SESSIONS * 4)

#define SPARE (300u << 10)
#define HELD_MAX (STREAMS * WIRE_WINDOW_MIN + SPARE)

/* WIRE_START, 1 MiB of control frames and 1 MiB of credits, a few of data */
#define OUTPUT_MAX ((size_t)WIRE_SPEC_MAX + (3u << 20))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
	struct channel *ch;
	uint8_t policy; /* how our side behaves */
	size_t held[STREAMS], all;
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
		for (uint32_t i = session * 4; i < session * 4 + 4; i++) {
			p->all -= p->held[i];
			p->held[i] = 0;
		}
}

static void
data_cb(void *arg, uint32_t stream, const uint8_t *bytes, size_t n)
{
	struct peer *p = arg;

	if (stream >= STREAMS || n == 0 || n > WIRE_DATA_MAX)
		abort();
	p->held[stream] += n;
	p->all += n;
	if (p->held[stream] > WIRE_WINDOW_MAX || p->all > HELD_MAX)
		abort();
	if (p->policy & 4) {
		p->all -= p->held[stream];
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
	size_t step, n, len, spare = SPARE;
	int r = 0;

	if (size < 3)
		return 0;
	p.policy = data[0];
	step = (size_t)data[1] + 1;
	p.ch = channel_new(
	    data[0] & 64 ? CHANNEL_HOST : CHANNEL_AGENT, &handler, &p);
	channel_share(p.ch, &spare);
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
	if (spare != SPARE)
		abort();
	return 0;
}
