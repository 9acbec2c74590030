/* SPDX-License-Identifier: Apache-2.0
 * One command in a container.
 *
 *	state     until                         then
 *	HELLO     HELLO with the right id       EXEC is sent
 *	ASKED     STARTED                       terminal raw, stdin is read
 *	          FAILED                        OVER
 *	RUNNING   EXIT                          FLUSH
 *	FLUSH     all output is written         OVER
 *
 * A connection that ends before its time ends the session from any state.
 */
#include "runtime/rexec_session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/channel.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/rexec.h"
#include "runtime/jbuild.h"
#include "runtime/rexec_cli.h"
#include "runtime/rexec_stdio.h"
#include "runtime/rexec_term.h"
#include "runtime/rexec_tls.h"

/* Seconds until the command has begun: the VM may still boot. */
#define START_DEADLINE 180
/* Output that may wait for the connection before stdin is read on. */
#define OUT_SOFT 262144
#define CHUNK 65536
/* Who is dropped before anything was said was one of too many who came at
 * once, and tries again. */
#define TRIES 30
/* Reads of the connection in one turn, so that stdin gets its share. */
#define READS 8

enum state {
	ST_HELLO,
	ST_ASKED,
	ST_RUNNING,
	ST_FLUSH,
	ST_OVER
};

/* stdout or stderr */
struct sink {
	struct stdio_fd io;
	uint32_t stream;
	struct buf pending;
	bool eof;
};

struct session {
	struct rexec_tls *tls;
	const char *id;
	const struct rexec_cli *cli;
	struct channel *ch;
	size_t spare; /* room for windows to grow */
	enum state state;
	int tries;
	bool fresh; /* the handshake is to be begun */
	struct stdio_fd in;
	bool in_eof;
	struct sink sinks[2];
	struct term term;
	int signals;	/* signalfd */
	uint64_t early; /* signals that came before STARTED */
	int deadly;	/* signal that is to end us, or 0 */
	int code;
	struct err *err;
	uint8_t chunk[CHUNK];
};

static const uint32_t stdin_stream = REXEC_SESSION * 4 + WIRE_STDIN;

/* The session ends with that code; err is set, or empty. */
static void
over(struct session *s, int code)
{
	s->state = ST_OVER;
	s->code = code;
}

static void
failed(struct session *s, const char *why)
{
	err_set(s->err, "%s", why);
	over(s, REXEC_FAILED);
}

/* ---- what is asked for --------------------------------------------------- */

static struct json_object *
process_json(const struct rexec_cli *cli)
{
	struct json_object *o = jb_obj();
	size_t n = 0;

	while (cli->args[n] != NULL)
		n++;
	jb_set(o, "args", jb_strv((const char *const *)cli->args, n));
	jb_set(o, "env", jb_strv((const char *const *)cli->env.v, cli->env.n));
	jb_set(o, "terminal", json_object_new_boolean(cli->tty));
	return o;
}

static void
send_exec(struct session *s)
{
	AUTO_JSON struct json_object *doc = jb_obj();
	uint32_t rows, columns;
	struct json_object *t;
	const char *text;
	size_t len;

	jb_set(doc, "process", process_json(s->cli));
	if (s->cli->tty && term_size(&rows, &columns)) {
		t = jb_obj();
		jb_set(t, "rows", json_object_new_int64(rows));
		jb_set(t, "columns", json_object_new_int64(columns));
		jb_set(doc, "terminal", t);
	}
	text = json_object_to_json_string_length(
	    doc, JSON_C_TO_STRING_PLAIN, &len);
	s->state = ST_ASKED;
	s->err->msg[0] = '\0'; /* of an earlier try */
	if (len > REXEC_EXEC_MAX)
		failed(s, "the command and its variables are too long");
	else if (channel_send(
		     s->ch, WIRE_EXEC, REXEC_SESSION, text, len, s->err) == -1)
		over(s, REXEC_FAILED);
	else if (!s->cli->interactive)
		channel_send_eof(s->ch, stdin_stream);
}

/* ---- control frames ------------------------------------------------------ */

static void
got_hello(struct session *s, const uint8_t *p, size_t len)
{
	if (wire_get_u32(p) != WIRE_MAGIC ||
	    wire_get_u32(p + 4) != WIRE_VERSION)
		failed(
		    s, "the container was started by another version of runq");
	else if (len - 8 != strlen(s->id) || memcmp(p + 8, s->id, len - 8) != 0)
		failed(s, "another container answered");
	else
		send_exec(s);
}

static void
got_started(struct session *s)
{
	s->state = ST_RUNNING;
	if (s->cli->tty && s->cli->interactive)
		term_raw(&s->term);
	for (int i = 1; i <= 64; i++)
		if (s->early & 1ull << (i - 1))
			channel_send_u32(s->ch, WIRE_SIGNAL, REXEC_SESSION,
			    (uint32_t)i, NULL);
}

/* Never executed; 126 and 127 are for the command, all else is a failure. */
static void
got_failed(struct session *s, const uint8_t *p, size_t len)
{
	uint32_t code = wire_get_u32(p);

	err_set(s->err, "%.*s", (int)(len - 4), (const char *)p + 4);
	over(s, code == 126 || code == 127 ? (int)code : REXEC_FAILED);
}

static void
message_cb(void *arg, enum wire_type type, uint32_t session, const uint8_t *p,
    size_t len)
{
	struct session *s = arg;

	(void)session;
	if (s->state == ST_OVER)
		return;
	if (type == WIRE_HELLO && s->state == ST_HELLO) {
		got_hello(s, p, len);
	} else if (type == WIRE_STARTED && s->state == ST_ASKED) {
		got_started(s);
	} else if (type == WIRE_FAILED && s->state == ST_ASKED) {
		got_failed(s, p, len);
	} else if (type == WIRE_EXIT && s->state == ST_RUNNING) {
		s->code = (int)(wire_get_u32(p) & 0xff);
		s->state = ST_FLUSH;
	} else {
		failed(s, "the container does not speak our protocol");
	}
}

/* ---- output -------------------------------------------------------------- */

static struct sink *
sink_of(struct session *s, uint32_t stream)
{
	return &s->sinks[stream % 4 == WIRE_STDERR];
}

static void
sink_write(struct session *s, struct sink *k, bool polled)
{
	ssize_t n;

	while (k->io.fd != -1 && buf_len(&k->pending) > 0) {
		n = stdio_fd_write(&k->io, buf_data(&k->pending),
		    buf_len(&k->pending), polled);
		if (n >= 0) {
			buf_drain(&k->pending, (size_t)n);
			channel_consumed(s->ch, k->stream, (size_t)n);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR) {
			/* nobody reads it: nor shall the command write */
			buf_free(&k->pending);
			stdio_fd_close(&k->io);
			channel_send_stop(s->ch, k->stream);
		}
		if (k->io.kind == STDIO_SHARED)
			return;
	}
	if (k->eof && buf_len(&k->pending) == 0)
		stdio_fd_close(&k->io);
}

static void
data_cb(void *arg, uint32_t stream, const uint8_t *p, size_t n)
{
	struct session *s = arg;
	struct sink *k = sink_of(s, stream);

	if (k->io.fd == -1)
		return;
	/* the window is the bound: this fails without memory only */
	if (buf_append(&k->pending, p, n) == -1)
		failed(s, "out of memory");
	else
		sink_write(s, k, false);
}

static void
eof_cb(void *arg, uint32_t stream)
{
	struct session *s = arg;
	struct sink *k = sink_of(s, stream);

	k->eof = true;
	sink_write(s, k, false);
}

/* ---- stdin --------------------------------------------------------------- */

static void
input(struct session *s)
{
	size_t room = WIRE_DATA_MAX;
	uint8_t *p = channel_reserve(s->ch, stdin_stream, &room);
	ssize_t n;

	if (p == NULL)
		return;
	n = stdio_fd_read(&s->in, p, room);
	if (n > 0) {
		channel_commit(s->ch, stdin_stream, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		/* a terminal's end (EIO) is its hang-up, not an error */
		channel_send_eof(s->ch, stdin_stream);
		s->in_eof = true;
		stdio_fd_close(&s->in);
	}
}

static void
writable_cb(void *arg, uint32_t stream)
{
	(void)arg;
	(void)stream; /* the next turn of the loop looks at the window */
}

/* The command no longer reads: its writer shall know. */
static void
stopped_cb(void *arg, uint32_t stream)
{
	struct session *s = arg;

	(void)stream;
	s->in_eof = true;
	stdio_fd_close(&s->in);
}

static const struct channel_handler handler = {
    .message = message_cb,
    .data = data_cb,
    .eof = eof_cb,
    .writable = writable_cb,
    .stopped = stopped_cb,
};

/* ---- signals ------------------------------------------------------------- */

/*
 * Keys come as bytes while the terminal is raw. Without a terminal signals are
 * the command's; with one they are from somebody who wants to end us, and the
 * command gets SIGHUP as its terminal goes.
 */
static void
take_signal(struct session *s, int signo)
{
	uint32_t rows, columns;

	if (signo == SIGWINCH) {
		if (s->cli->tty && s->state <= ST_RUNNING &&
		    s->state > ST_HELLO && term_size(&rows, &columns))
			channel_send_u32x2(s->ch, WIRE_RESIZE, REXEC_SESSION,
			    rows, columns, NULL);
	} else if (signo == SIGTSTP) {
		term_restore(&s->term);
		kill(getpid(), SIGSTOP);
		if (s->state == ST_RUNNING && s->cli->tty &&
		    s->cli->interactive)
			term_raw(&s->term);
	} else if (signo == SIGPIPE) {
		return; /* of our own writes */
	} else if (s->cli->tty && s->cli->interactive) {
		s->deadly = signo;
		over(s, 128 + signo);
	} else if (s->state < ST_RUNNING) {
		s->early |= 1ull << (signo - 1);
	} else if (s->state == ST_RUNNING) {
		channel_send_u32(
		    s->ch, WIRE_SIGNAL, REXEC_SESSION, (uint32_t)signo, NULL);
	}
}

static void
take_signals(struct session *s)
{
	struct signalfd_siginfo si;

	while (read(s->signals, &si, sizeof si) == sizeof si)
		take_signal(s, (int)si.ssi_signo);
}

static int
watch_signals(struct session *s, sigset_t *old)
{
	static const int wanted[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP,
	    SIGWINCH, SIGPIPE, SIGUSR1, SIGUSR2};
	struct sigaction now;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		/* what our parent ignores (nohup(1)) stays ignored */
		if (wanted[i] == SIGWINCH || wanted[i] == SIGPIPE ||
		    (sigaction(wanted[i], NULL, &now) == 0 &&
			now.sa_handler != SIG_IGN))
			sigaddset(&set, wanted[i]);
	sigprocmask(SIG_BLOCK, &set, old);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals;
}

/* ---- the loop ------------------------------------------------------------ */

static int
new_channel(struct session *s)
{
	channel_free(s->ch);
	if ((s->ch = channel_new(CHANNEL_HOST, &handler, s)) == NULL)
		return err_set(s->err, "out of memory");
	s->spare = SIZE_MAX / 2;
	channel_share(s->ch, &s->spare);
	return channel_open(s->ch, REXEC_SESSION, s->err);
}

static bool
try_again(struct session *s)
{
	if (s->state != ST_HELLO || ++s->tries > TRIES)
		return false;
	poll(NULL, 0, s->tries);
	s->fresh = true;
	return rexec_tls_connect(s->tls, s->id, s->err) == 0 &&
	    new_channel(s) == 0;
}

/* The connection ended; err is empty when it just did. */
static void
connection_over(struct session *s)
{
	bool silent = s->err->msg[0] == '\0';

	if (s->state == ST_FLUSH)
		return; /* all that matters was said */
	if (silent && try_again(s))
		return;
	if (s->state == ST_RUNNING && silent) {
		err_set(s->err, "the container has ended");
		over(s, REXEC_CONTAINER_GONE);
	} else {
		if (silent)
			err_set(s->err, "the container closed the connection");
		over(s, REXEC_FAILED);
	}
}

static void
receive(struct session *s)
{
	ssize_t n = 1;

	for (int i = 0; i < READS && n > 0 && s->state < ST_FLUSH; i++) {
		n = rexec_tls_read(s->tls, s->chunk, sizeof s->chunk, s->err);
		if (n == -1)
			connection_over(s);
		else if (n > 0 &&
		    channel_input(s->ch, s->chunk, (size_t)n, s->err) == -1)
			over(s, REXEC_FAILED);
	}
}

static void
transmit(struct session *s)
{
	const uint8_t *p;
	ssize_t n = 1;
	size_t len;

	while (n > 0 && s->state < ST_FLUSH &&
	    (p = channel_output(s->ch, &len)) != NULL) {
		n = rexec_tls_write(
		    s->tls, p, len < CHUNK ? len : CHUNK, s->err);
		if (n > 0)
			channel_output_drain(s->ch, (size_t)n);
		/* -1: what it was said before the end is read first */
	}
}

static bool
wants_input(const struct session *s)
{
	size_t out;

	channel_output(s->ch, &out);
	return s->state == ST_RUNNING && s->cli->interactive && !s->in_eof &&
	    out < OUT_SOFT && channel_window(s->ch, stdin_stream) > 0;
}

static int
remaining_ms(const struct session *s, time_t end)
{
	struct timespec now;

	if (s->state >= ST_RUNNING)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec >= end ? 0 : (int)(end - now.tv_sec) * 1000;
}

static void
turn(struct session *s, time_t end)
{
	enum {
		TLS,
		SIGNALS,
		IN,
		OUT,
		ERR,
		N
	};
	struct pollfd p[N];
	size_t out;
	int r;

	channel_output(s->ch, &out);
	p[TLS] = rexec_tls_poll(s->tls, out > 0);
	if (s->state == ST_FLUSH)
		p[TLS].fd = -1;
	p[SIGNALS] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	p[IN] = (struct pollfd){
	    .fd = wants_input(s) ? s->in.fd : -1, .events = POLLIN};
	for (int i = 0; i < 2; i++)
		p[OUT + i] = (struct pollfd){
		    .fd = buf_len(&s->sinks[i].pending) > 0 ? s->sinks[i].io.fd
							    : -1,
		    .events = POLLOUT};
	r = poll(p, N, remaining_ms(s, end));
	if (r == 0 && remaining_ms(s, end) == 0) {
		failed(s, "no answer in time");
		return;
	}
	if (r <= 0)
		return;
	for (int i = 0; i < 2; i++)
		if (p[OUT + i].revents != 0)
			sink_write(s, &s->sinks[i], true);
	if (p[SIGNALS].revents != 0)
		take_signals(s);
	if (p[IN].revents != 0 && s->state == ST_RUNNING)
		input(s);
	if (p[TLS].revents != 0)
		receive(s);
	transmit(s);
	if (s->state == ST_FLUSH && buf_len(&s->sinks[0].pending) == 0 &&
	    buf_len(&s->sinks[1].pending) == 0)
		s->state = ST_OVER;
}

static int
prepare(struct session *s)
{
	if (new_channel(s) == -1)
		return -1;
	stdio_fd_open(&s->in, STDIN_FILENO);
	for (int i = 0; i < 2; i++) {
		stdio_fd_open(&s->sinks[i].io, STDOUT_FILENO + i);
		s->sinks[i].stream =
		    REXEC_SESSION * 4 + WIRE_STDOUT + (uint32_t)i;
		buf_init(&s->sinks[i].pending, WIRE_WINDOW_MAX);
	}
	return 0;
}

int
rexec_session(struct rexec_tls *tls, const char *id,
    const struct rexec_cli *cli, struct err *err)
{
	static struct session s; /* large; once in a process */
	struct timespec now;
	sigset_t old;

	s = (struct session){
	    .tls = tls, .id = id, .cli = cli, .code = REXEC_FAILED};
	s.err = err;
	err->msg[0] = '\0';
	if (prepare(&s) == -1)
		return REXEC_FAILED;
	if (watch_signals(&s, &old) == -1) {
		err_sys(err, "signalfd");
		return REXEC_FAILED;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	s.fresh = true;
	while (s.state != ST_OVER) {
		if (s.fresh) {
			s.fresh = false;
			receive(&s);
		} else {
			turn(&s, now.tv_sec + START_DEADLINE);
		}
	}
	term_restore(&s.term);
	if (s.deadly != 0) {
		/* as if the signal had never been caught */
		signal(s.deadly, SIG_DFL);
		raise(s.deadly);
		sigprocmask(SIG_SETMASK, &old, NULL);
		_exit(128 + s.deadly);
	}
	close(s.signals);
	channel_free(s.ch);
	return s.code;
}
