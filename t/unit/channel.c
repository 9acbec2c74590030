/* SPDX-License-Identifier: Apache-2.0
 * The channel: framing at every split, directions, windows, bounds. */
#include "lib/channel.h"

#include "t/tap.h"

#define QUARTER (WIRE_WINDOW_MIN / 4)
#define TURNS 256

struct end {
	struct channel *ch;
	uint8_t got[4 * WIRE_WINDOW_MAX];
	size_t n;
	size_t greedy; /* bytes that writable() tries to write */
	uint32_t turns[TURNS];
	int n_turns;
	bool pushy; /* wrote more than its turn allowed */
	int messages, eofs, writables, stops;
	enum wire_type last;
	uint32_t last_id;
	char text[64];
};

static void
on_message(void *arg, enum wire_type type, uint32_t session, const uint8_t *p,
    size_t len)
{
	struct end *e = arg;

	e->messages++;
	e->last = type;
	e->last_id = session;
	snprintf(e->text, sizeof e->text, "%.*s", (int)len, (const char *)p);
}

static void
on_data(void *arg, uint32_t stream, const uint8_t *p, size_t n)
{
	struct end *e = arg;

	e->last_id = stream;
	memcpy(e->got + e->n, p, n);
	e->n += n;
}

static void
on_eof(void *arg, uint32_t stream)
{
	((struct end *)arg)->last_id = stream;
	((struct end *)arg)->eofs++;
}

static void
on_writable(void *arg, uint32_t stream)
{
	static const uint8_t zero[WIRE_WINDOW_MIN];
	struct end *e = arg;

	e->last_id = stream;
	e->writables++;
	if (e->greedy == 0 || e->n_turns == TURNS ||
	    channel_write(e->ch, stream, zero, e->greedy) == 0)
		return;
	e->turns[e->n_turns++] = stream;
	e->pushy = e->pushy || channel_write(e->ch, stream, zero, 1) > 0;
}

static void
on_stopped(void *arg, uint32_t stream)
{
	((struct end *)arg)->last_id = stream;
	((struct end *)arg)->stops++;
}

static const struct channel_handler handler = {
    on_message, on_data, on_eof, on_writable, on_stopped};

static struct end host, agent;

static void
fresh(void)
{
	struct err e;

	channel_free(host.ch);
	channel_free(agent.ch);
	memset(&host, 0, sizeof host);
	memset(&agent, 0, sizeof agent);
	host.ch = channel_new(CHANNEL_HOST, &handler, &host);
	agent.ch = channel_new(CHANNEL_AGENT, &handler, &agent);
	channel_open(host.ch, 0, &e);
	channel_open(agent.ch, 0, &e);
}

/* Moves all output of one end to the other in pieces of step bytes. */
static int
carry(struct end *from, struct end *to, size_t step, struct err *e)
{
	const uint8_t *p;
	size_t n;

	while ((p = channel_output(from->ch, &n)) != NULL) {
		if (n > step)
			n = step;
		if (channel_input(to->ch, p, n, e) == -1)
			return -1;
		channel_output_drain(from->ch, n);
	}
	return 0;
}

static void
test_splits(void)
{
	struct err e = {""};
	bool good = true;

	for (size_t step = 1; step < 64; step++) {
		fresh();
		channel_send(host.ch, WIRE_START, 0, "{\"a\":1}", 7, &e);
		channel_write(host.ch, 0, "hello ", 6);
		channel_write(host.ch, 0, "world", 5);
		channel_send_eof(host.ch, 0);
		channel_send_u32(host.ch, WIRE_SIGNAL, 0, 15, &e);
		good = good && carry(&host, &agent, step, &e) == 0 &&
		    agent.n == 11 &&
		    memcmp(agent.got, "hello world", 11) == 0 &&
		    agent.eofs == 1 && agent.messages == 2 &&
		    agent.last == WIRE_SIGNAL;
	}
	ok(good, "the same frames come out however the carrier splits them");
}

static void
test_window(void)
{
	static uint8_t big[WIRE_WINDOW_MIN + 100];
	struct err e = {""};

	fresh();
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 7 + (i >> 8));
	is_int((long long)channel_write(agent.ch, 1, big, sizeof big),
	    WIRE_WINDOW_MIN, "a writer stops at its window");
	is_int((long long)channel_window(agent.ch, 1), 0, "which is then 0");
	is_int((long long)channel_window(agent.ch, 2), WIRE_WINDOW_MIN,
	    "another stream's window is its own");
	is_int(carry(&agent, &host, 4096, &e), 0, "the reader takes them");
	ok(host.n == WIRE_WINDOW_MIN && memcmp(host.got, big, host.n) == 0,
	    "all bytes arrive in order");
	carry(&host, &agent, 4096, &e);
	is_int(agent.writables, 0, "no credit before consumption");
	channel_consumed(host.ch, 1, WIRE_WINDOW_MIN);
	carry(&host, &agent, 4096, &e);
	is_int(agent.writables, 1, "consumption opens the window");
	is_int(
	    (long long)channel_write(agent.ch, 1, big + WIRE_WINDOW_MIN, 100),
	    100, "and the rest goes");
}

/* Bytes that a reader of this stream lets its writer send at once after it has
 * consumed much. */
static size_t
window_after(uint32_t stream, size_t much)
{
	static const uint8_t zero[WIRE_WINDOW_MAX];
	struct err e = {""};
	size_t n;

	for (size_t moved = 0; moved < much; moved += n) {
		n = channel_write(agent.ch, stream, zero, sizeof zero);
		host.n = 0;
		carry(&agent, &host, 65536, &e);
		channel_consumed(host.ch, stream, n);
		carry(&host, &agent, 65536, &e);
		if (n == 0)
			return 0;
	}
	return channel_window(agent.ch, stream);
}

static void
test_growth(void)
{
	const size_t enough = 5 * 2 * WIRE_WINDOW_MAX;
	size_t spare = 2 * WIRE_WINDOW_MAX;
	struct err e = {""};

	fresh();
	is_int((long long)window_after(1, enough), WIRE_WINDOW_MIN,
	    "without spare room a window stays as it is");
	fresh();
	channel_share(host.ch, &spare);
	is_int((long long)window_after(1, 1000), WIRE_WINDOW_MIN,
	    "so does that of a stream that moves little");
	is_int((long long)window_after(1, enough), WIRE_WINDOW_MAX,
	    "that of one that moves much grows");
	is_int((long long)spare, WIRE_WINDOW_MAX + WIRE_WINDOW_MIN,
	    "from the spare room");
	window_after(2, enough);
	channel_open(host.ch, 1, &e);
	channel_open(agent.ch, 1, &e);
	is_int((long long)window_after(5, enough), 2 * WIRE_WINDOW_MIN,
	    "of which there is only so much");
	channel_close(host.ch, 0);
	channel_close(host.ch, 1);
	is_int((long long)spare, 2 * WIRE_WINDOW_MAX,
	    "and it comes back with the end of the sessions");
}

/* Many write at once, the carrier takes nothing. */
static void
test_turns(void)
{
	static const uint8_t zero[WIRE_WINDOW_MIN];
	size_t len, sent = 0;
	struct err e = {""};
	bool fair = true;
	int waiting;

	fresh();
	for (uint32_t i = 1; i <= 60; i++) {
		channel_open(host.ch, i, &e);
		channel_open(agent.ch, i, &e);
		sent += channel_write(host.ch, i * 4, zero, sizeof zero);
	}
	channel_output(host.ch, &len);
	ok(len < 300u << 10 && sent < len,
	    "output is bounded however many streams have something to send");
	host.greedy = QUARTER;
	carry(&host, &agent, 4096, &e);
	waiting = 60 - (int)(sent / sizeof zero);
	is_int(
	    host.n_turns, waiting * 4, "who waits is called, until all went");
	for (int i = 0; i < host.n_turns; i++)
		fair = fair &&
		    host.turns[i] ==
			(uint32_t)(60 - waiting + 1 + i % waiting) * 4;
	ok(fair && !host.pushy, "one after the other, for one frame each");
	fresh();
	for (uint32_t i = 1; i <= 60; i++) {
		channel_open(host.ch, i, &e);
		channel_open(agent.ch, i, &e);
		channel_write(host.ch, i * 4, zero, sizeof zero);
	}
	for (uint32_t i = 1; i <= 60; i++)
		channel_close(host.ch, i);
	is_int(carry(&host, &agent, 4096, &e) + host.writables, 0,
	    "but not for a session that was closed");
}

static void
expect_refused(bool at_host, enum wire_type type, uint32_t id, size_t len,
    const char *name)
{
	static uint8_t frame[WIRE_HEADER + WIRE_DATA_MAX];
	struct wire_header h = {type, id, (uint32_t)len};
	struct err e = {""};

	wire_header_put(frame, &h);
	if (!ok(channel_input(at_host ? host.ch : agent.ch, frame,
		    WIRE_HEADER + len, &e) == -1 &&
		    e.msg[0] != '\0',
		"%s", name))
		printf("# accepted\n");
	else
		printf("# %s\n", e.msg);
}

static void
test_refusals(void)
{
	struct err e = {""};
	uint8_t junk[WIRE_HEADER];

	fresh();
	memset(junk, 0xff, sizeof junk);
	ok(channel_input(host.ch, junk, sizeof junk, &e) == -1,
	    "garbage is refused");
	fresh();
	expect_refused(true, WIRE_START, 0, 10, "START from an agent");
	fresh();
	expect_refused(false, WIRE_EXIT, 0, 4, "EXIT from a host");
	fresh();
	expect_refused(true, WIRE_DATA, 0, 1, "stdin bytes from an agent");
	fresh();
	expect_refused(true, WIRE_DATA, 3, 1, "a stream of number 3");
	fresh();
	expect_refused(true, WIRE_DATA, 5, 1, "a session that never was");
	fresh();
	expect_refused(
	    true, WIRE_EXIT, WIRE_SESSIONS_MAX, 4, "a session out of range");
	fresh();
	expect_refused(true, WIRE_EXIT, 0, 5, "EXIT of a wrong length");
	fresh();
	expect_refused(true, WIRE_CREDIT, 0, 4, "credit of nothing");
}

static void
test_overrun(void)
{
	static uint8_t frame[WIRE_HEADER + WIRE_DATA_MAX];
	struct wire_header h = {WIRE_DATA, 1, WIRE_DATA_MAX};
	struct err e = {""};
	int r = 0, frames = 0;

	fresh();
	wire_header_put(frame, &h);
	h.length = 4096;
	wire_header_put(frame, &h);
	while (r == 0 && frames < 100) {
		r = channel_input(host.ch, frame, WIRE_HEADER + 4096, &e);
		frames++;
	}
	is_int(frames, WIRE_WINDOW_MIN / 4096 + 1,
	    "a peer that ignores its window is cut off at once");
	fresh();
	h.type = WIRE_EOF;
	h.length = 0;
	wire_header_put(frame, &h);
	channel_input(host.ch, frame, WIRE_HEADER, &e);
	expect_refused(true, WIRE_DATA, 1, 1, "data after EOF");
}

static void
test_close(void)
{
	struct err e = {""};

	fresh();
	channel_write(agent.ch, 1, "late", 4);
	channel_send_eof(agent.ch, 1);
	channel_close(host.ch, 0);
	is_int(carry(&agent, &host, 3, &e), 0,
	    "frames that crossed a close are no error");
	is_int((long long)host.n + host.eofs, 0, "and are dropped");

	fresh();
	channel_send_stop(host.ch, 1);
	channel_write(agent.ch, 1, "x", 1);
	carry(&agent, &host, 99, &e);
	is_int((long long)host.n, 0, "nothing is delivered after STOP");
	carry(&host, &agent, 99, &e);
	is_int(agent.stops, 1, "the writer learns of STOP");
	is_int((long long)channel_window(agent.ch, 1), 0, "and may not write");
}

static void
test_bounds(void)
{
	struct err e = {""};
	int n = 0;
	size_t len;
	static uint8_t zero[QUARTER];
	struct wire_header h = {WIRE_DATA, 1, QUARTER};
	static uint8_t frame[WIRE_HEADER + QUARTER];

	fresh();
	while (channel_send_u32(host.ch, WIRE_SIGNAL, 0, 1, &e) == 0 &&
	    n < 1000000)
		n++;
	channel_output(host.ch, &len);
	ok(n > 1000 && len < (2u << 20),
	    "signals for a peer that does not read are bounded");
	carry(&host, &agent, 100000, &e);
	is_int(channel_send_u32(host.ch, WIRE_SIGNAL, 0, 1, &e), 0,
	    "and flow again when it reads");

	/* credits to a peer that sends but never reads */
	fresh();
	wire_header_put(frame, &h);
	while (channel_send_u32(host.ch, WIRE_SIGNAL, 0, 1, &e) == 0)
		;
	channel_write(host.ch, 0, zero, sizeof zero);
	n = 0;
	while (
	    channel_input(host.ch, frame, sizeof frame, &e) == 0 && n < 10000) {
		channel_consumed(host.ch, 1, QUARTER);
		n++;
	}
	ok(n < 100, "a peer that never reads gets no more credit");
	fresh();
	while (channel_send_u32(host.ch, WIRE_SIGNAL, 0, 1, &e) == 0)
		;
	channel_write(host.ch, 0, zero, sizeof zero);
	for (n = 0; n < 4; n++) {
		channel_input(host.ch, frame, sizeof frame, &e);
		channel_consumed(host.ch, 1, QUARTER);
	}
	agent.messages = 0;
	channel_write(agent.ch, 1, zero, sizeof zero);
	channel_output(agent.ch, &len);
	channel_output_drain(agent.ch, len);
	channel_write(agent.ch, 1, zero, sizeof zero);
	channel_write(agent.ch, 1, zero, sizeof zero);
	channel_write(agent.ch, 1, zero, sizeof zero);
	is_int((long long)channel_window(agent.ch, 1), 0, "window used up");
	channel_output(host.ch, &len);
	carry(&host, &agent, 1 << 16, &e);
	ok(channel_window(agent.ch, 1) > 0,
	    "held credits are released when it reads");
}

static void
test_dns(void)
{
	uint8_t p[WIRE_DNS_QUERY_HEAD + WIRE_DNS_MAX] = {0};
	struct err e = {""};
	size_t n;

	fresh();
	channel_send(agent.ch, WIRE_DNS_QUERY, 0, p, sizeof p, &e);
	ok(carry(&agent, &host, 4096, &e) == 0 && host.last == WIRE_DNS_QUERY,
	    "the agent asks the host for a name");
	channel_send(host.ch, WIRE_DNS_QUERY, 0, p, 36, &e);
	channel_send(host.ch, WIRE_DNS_ANSWER, 0, p, 4, &e);
	ok(carry(&host, &agent, 4096, &e) == 0 && agent.messages == 2,
	    "the host asks the agent, and answers");
	channel_send(agent.ch, WIRE_DNS_QUERY, 0, p, 35, &e);
	ok(carry(&agent, &host, 4096, &e) == -1, "a query without a header");
	fresh();
	while (channel_send(agent.ch, WIRE_DNS_QUERY, 0, p, sizeof p, &e) == 0)
		;
	channel_output(agent.ch, &n);
	ok(n < 3u << 20, "queries that nobody reads are bounded");
}

int
main(void)
{
	test_splits();
	test_window();
	test_growth();
	test_turns();
	test_refusals();
	test_overrun();
	test_close();
	test_bounds();
	test_dns();
	channel_free(host.ch);
	channel_free(agent.ch);
	return done_testing();
}
