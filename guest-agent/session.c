/* SPDX-License-Identifier: Apache-2.0
 * One process with its streams.
 *
 * Output is read from the pipe or terminal straight into the channel, as far
 * as the stream's window allows; with an empty window the fd leaves the loop,
 * and the pipe stops the process. Input that the process does not take is
 * kept, at most one window.
 */
#include "guest-agent/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "guest-agent/loop.h"
#include "lib/buf.h"
#include "lib/channel.h"
#include "lib/cleanup.h"

/* stdout or stderr, or the terminal's output */
struct output {
	struct session *owner;
	uint32_t stream;
	struct loop_source src; /* fd -1: over */
};

struct session {
	uint32_t id;
	struct loop *loop;
	struct channel *ch;
	struct session_handler handler;
	void *arg;

	struct process process;
	struct process_io io;
	struct loop_source report;
	int master; /* terminal, or -1 */

	struct loop_source in; /* fd -1: closed */
	struct buf in_pending;
	bool in_eof;
	struct output outs[2];

	bool started, reaped, ended;
	bool systemd;
	int status;
};

static void
source_close(struct session *s, struct loop_source *src)
{
	if (src->fd == -1)
		return;
	loop_watch(s->loop, src, 0);
	if (src->fd != s->master)
		close(src->fd);
	src->fd = -1;
}

/* ---- end ----------------------------------------------------------------- */

static uint32_t
exit_code(const struct session *s, int status)
{
	if (s->systemd && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
		return 0;
	if (s->systemd && WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP)
		return 1;
	return WIFSIGNALED(status) ? 128u + (uint32_t)WTERMSIG(status)
				   : (uint32_t)WEXITSTATUS(status);
}

static void
check_complete(struct session *s)
{
	if (s->ended || !s->started || !s->reaped || s->outs[0].src.fd != -1 ||
	    s->outs[1].src.fd != -1)
		return;
	s->ended = true;
	if (s->id == 0)
		s->handler.ending(s->arg);
	channel_send_u32(
	    s->ch, WIRE_EXIT, s->id, exit_code(s, s->status), NULL);
	s->handler.kick(s->arg);
	s->handler.ended(s->arg, s->id);
}

static void
failed(struct session *s, uint32_t code, const char *why)
{
	s->ended = true;
	if (s->id == 0)
		s->handler.ending(s->arg);
	channel_send_text(s->ch, WIRE_FAILED, s->id, code, why, NULL);
	s->handler.kick(s->arg);
	s->handler.ended(s->arg, s->id);
}

void
session_reaped(struct session *s, int status)
{
	s->reaped = true;
	s->status = status;
	check_complete(s);
}

/* ---- output -------------------------------------------------------------- */

static void
output_end(struct output *o)
{
	struct session *s = o->owner;

	source_close(s, &o->src);
	channel_send_eof(s->ch, o->stream);
	s->handler.kick(s->arg);
	check_complete(s);
}

static void
session_output_cb(void *arg, uint32_t events)
{
	struct output *o = arg;
	struct session *s = o->owner;
	size_t room = WIRE_DATA_MAX;
	uint8_t *p;
	ssize_t n;

	(void)events;
	if ((p = channel_reserve(s->ch, o->stream, &room)) == NULL) {
		/* no window or no turn: session_writable() goes on */
		loop_watch(s->loop, &o->src, 0);
		return;
	}
	n = read(o->src.fd, p, room);
	if (n > 0) {
		channel_commit(s->ch, o->stream, (size_t)n);
		s->handler.kick(s->arg);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		/* EIO is how a terminal says that its last user is gone */
		output_end(o);
	}
}

void
session_writable(struct session *s, uint32_t stream)
{
	struct output *o = &s->outs[stream % 4 == WIRE_STDERR];

	if (!s->started || o->src.fd == -1)
		return;
	/* at once: its turn does not last */
	loop_watch(s->loop, &o->src, EPOLLIN);
	session_output_cb(o, 0);
}

void
session_stopped(struct session *s, uint32_t stream)
{
	struct output *o = &s->outs[stream % 4 == WIRE_STDERR];

	/* closing our end gives the process EPIPE, or SIGHUP when it was a
	 * terminal, as the end of its reader would */
	if (o->src.fd == -1)
		return;
	source_close(s, &o->src);
	if (s->master != -1) {
		source_close(s, &s->in);
		close(take_fd(&s->master));
	}
	check_complete(s);
}

/* ---- input --------------------------------------------------------------- */

static void
input_gone(struct session *s)
{
	source_close(s, &s->in);
	buf_free(&s->in_pending);
	if (s->master == -1)
		channel_send_stop(s->ch, wire_stream_id(s->id, WIRE_STDIN));
	s->handler.kick(s->arg);
}

/* How many bytes the process took. */
static size_t
input_write(struct session *s, const uint8_t *p, size_t n)
{
	ssize_t r = write(s->in.fd, p, n);

	if (r >= 0)
		return (size_t)r;
	if (errno != EAGAIN && errno != EINTR)
		input_gone(s);
	return 0;
}

static void
session_input_cb(void *arg, uint32_t events)
{
	struct session *s = arg;
	size_t n;

	(void)events;
	n = input_write(s, buf_data(&s->in_pending), buf_len(&s->in_pending));
	if (s->in.fd == -1)
		return;
	buf_drain(&s->in_pending, n);
	channel_consumed(s->ch, wire_stream_id(s->id, WIRE_STDIN), n);
	s->handler.kick(s->arg);
	if (buf_len(&s->in_pending) > 0)
		return;
	loop_watch(s->loop, &s->in, 0);
	if (s->in_eof)
		source_close(s, &s->in);
}

void
session_data(struct session *s, const uint8_t *p, size_t n)
{
	size_t done = 0;

	if (s->in.fd == -1 && s->started)
		return;
	if (s->started && buf_len(&s->in_pending) == 0) {
		done = input_write(s, p, n);
		if (s->in.fd == -1)
			return;
		channel_consumed(
		    s->ch, wire_stream_id(s->id, WIRE_STDIN), done);
	}
	if (done == n)
		return;
	if (buf_append(&s->in_pending, p + done, n - done) == -1)
		input_gone(s); /* cannot be: the window is the bound */
	else if (s->started)
		loop_watch(s->loop, &s->in, EPOLLOUT);
}

void
session_eof(struct session *s)
{
	/* A terminal has no end of input but the one that is typed. */
	if (s->io.terminal)
		return;
	s->in_eof = true;
	if (buf_len(&s->in_pending) == 0)
		source_close(s, &s->in);
}

/* ---- control ------------------------------------------------------------- */

void
session_signal(struct session *s, uint32_t signo)
{
	if (s->systemd && signo == SIGTERM)
		signo = (uint32_t)SIGRTMIN + 4;
	if (s->started && !s->reaped)
		kill(s->process.pid, (int)signo);
}

void
session_resize(struct session *s, uint32_t rows, uint32_t columns)
{
	struct winsize w = {
	    .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};

	s->io.rows = rows;
	s->io.columns = columns;
	if (s->master != -1)
		ioctl(s->master, TIOCSWINSZ, &w);
}

static void
clear_onlcr(int master)
{
	struct termios t;

	if (tcgetattr(master, &t) == -1)
		return;
	t.c_oflag &= ~(tcflag_t)ONLCR;
	tcsetattr(master, TCSANOW, &t);
}

static void
terminal_ready(struct session *s, int master)
{
	fcntl(master, F_SETFL, O_NONBLOCK);
	s->master = master;
	/* two descriptors, one for each direction of the loop's watching */
	s->outs[0].src.fd = master;
	s->in.fd = fcntl(master, F_DUPFD_CLOEXEC, 3);
	if (s->io.no_onlcr)
		clear_onlcr(master);
	if (s->io.rows != 0 || s->io.columns != 0)
		session_resize(s, s->io.rows, s->io.columns);
}

static void
running(struct session *s)
{
	source_close(s, &s->report);
	s->started = true;
	channel_send_u32(
	    s->ch, WIRE_STARTED, s->id, (uint32_t)s->process.pid, NULL);
	s->handler.kick(s->arg);
	for (int i = 0; i < 2; i++)
		if (s->outs[i].src.fd != -1)
			loop_watch(s->loop, &s->outs[i].src, EPOLLIN);
	if (buf_len(&s->in_pending) > 0 && s->in.fd != -1)
		loop_watch(s->loop, &s->in, EPOLLOUT);
	check_complete(s);
}

static void
session_report_cb(void *arg, uint32_t events)
{
	struct session *s = arg;
	struct err err;
	uint32_t code;
	int master;

	(void)events;
	switch (process_report(&s->process, &master, &code, &err)) {
	case PROCESS_TERMINAL:
		terminal_ready(s, master);
		break;
	case PROCESS_STARTED:
		running(s);
		break;
	case PROCESS_FAILED:
		source_close(s, &s->report);
		failed(s, code, err.msg);
		break;
	default:
		break;
	}
}

/* ---- making -------------------------------------------------------------- */

static int
make_pipe(int *ours, int *theirs, bool we_write, struct err *err)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) == -1)
		return err_sys(err, "pipe");
	*ours = p[we_write];
	*theirs = p[!we_write];
	if (fcntl(*ours, F_SETFL, O_NONBLOCK) == -1)
		return err_sys(err, "pipe");
	return 0;
}

static void
wire_up(struct session *s)
{
	s->report.cb = session_report_cb;
	s->report.arg = s;
	s->in.cb = session_input_cb;
	s->in.arg = s;
	for (int i = 0; i < 2; i++) {
		s->outs[i].owner = s;
		s->outs[i].stream =
		    wire_stream_id(s->id, i == 0 ? WIRE_STDOUT : WIRE_STDERR);
		s->outs[i].src.cb = session_output_cb;
		s->outs[i].src.arg = &s->outs[i];
	}
}

struct session *
session_new(uint32_t id, bool terminal, struct loop *loop, struct channel *ch,
    const struct session_handler *handler, void *arg, struct err *err)
{
	struct session *s = calloc(1, sizeof *s);

	if (s == NULL) {
		err_set(err, "out of memory");
		return NULL;
	}
	s->id = id;
	s->loop = loop;
	s->ch = ch;
	s->handler = *handler;
	s->arg = arg;
	s->master = s->report.fd = s->in.fd = -1;
	s->outs[0].src.fd = s->outs[1].src.fd = -1;
	s->io = (struct process_io){.fds = {-1, -1, -1}, .terminal = terminal};
	buf_init(&s->in_pending, WIRE_WINDOW_MAX);
	wire_up(s);
	if (!terminal &&
	    (make_pipe(&s->in.fd, &s->io.fds[0], true, err) == -1 ||
		make_pipe(&s->outs[0].src.fd, &s->io.fds[1], false, err) ==
		    -1 ||
		make_pipe(&s->outs[1].src.fd, &s->io.fds[2], false, err) ==
		    -1)) {
		session_free(s);
		return NULL;
	}
	return s;
}

static void
close_theirs(struct session *s)
{
	for (int i = 0; i < 3; i++) {
		cleanup_closep(&s->io.fds[i]);
		s->io.fds[i] = -1;
	}
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	source_close(s, &s->report);
	source_close(s, &s->in);
	source_close(s, &s->outs[0].src);
	source_close(s, &s->outs[1].src);
	cleanup_closep(&s->master);
	close_theirs(s);
	buf_free(&s->in_pending);
	free(s);
}

void
session_without_stdin(struct session *s)
{
	if (s->io.terminal)
		return;
	source_close(s, &s->in);
	cleanup_closep(&s->io.fds[0]);
	s->io.fds[0] = -1;
}

void
session_systemd(struct session *s)
{
	s->systemd = true;
}

struct process_io *
session_io(struct session *s)
{
	return &s->io;
}

void
session_started(struct session *s, const struct process *p)
{
	close_theirs(s);
	s->process = *p;
	s->report.fd = p->report_fd;
	loop_watch(s->loop, &s->report, EPOLLIN);
}

pid_t
session_pid(const struct session *s)
{
	return s->process.pid;
}
