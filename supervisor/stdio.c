/* SPDX-License-Identifier: Apache-2.0
 * The stdin, stdout and stderr of one session joined to its streams in the
 * guest.
 *
 * stdin is read straight into the channel's output, as far as the window
 * allows; what the guest sends is written straight from the carrier's buffer,
 * and only what a slow reader does not take is kept, at most one window.
 */
#include "supervisor/stdio.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/channel.h"
#include "lib/cleanup.h"

/* stdout or stderr */
struct sink {
	struct stdio *owner;
	uint32_t stream;
	int fd;
	struct event *ev;
	struct buf pending;
	bool eof; /* nothing comes any more */
};

struct stdio {
	struct channel *ch;
	uint32_t session;
	struct stdio_handler handler;
	void *arg;
	int in_fd;  /* -1: over */
	int tty_fd; /* -1: no terminal */
	struct event *in_ev;
	bool in_null;  /* it is /dev/null */
	bool in_plain; /* a file: always ready, epoll refuses it */
	struct sink sinks[2];
	struct termios saved;
};

/* ---- stdin --------------------------------------------------------------- */

/* The writer of a pipe learns that nobody reads it any more. */
static void
in_end(struct stdio *s)
{
	event_free(s->in_ev);
	s->in_ev = NULL;
	close(take_fd(&s->in_fd));
}

static void
in_wait(struct stdio *s)
{
	const struct timeval now = {0, 0};

	if (s->in_ev != NULL)
		event_add(s->in_ev, s->in_plain ? &now : NULL);
}

static void
stdio_in_cb(evutil_socket_t fd, short what, void *arg)
{
	struct stdio *s = arg;
	uint32_t stream = wire_stream_id(s->session, WIRE_STDIN);
	size_t room = WIRE_DATA_MAX;
	uint8_t *p;
	ssize_t n;

	(void)what;
	if ((p = channel_reserve(s->ch, stream, &room)) == NULL)
		return; /* no window or no turn: stdio_writable() goes on */
	n = read(fd, p, room);
	if (n > 0) {
		channel_commit(s->ch, stream, (size_t)n);
		in_wait(s);
	} else if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
		in_wait(s);
	} else {
		/* a terminal's end (EIO) is its hang-up, not an error */
		channel_send_eof(s->ch, stream);
		in_end(s);
	}
	s->handler.kick(s->arg);
}

void
stdio_start(struct stdio *s)
{
	in_wait(s);
}

/* At once: its turn does not last. */
void
stdio_writable(struct stdio *s)
{
	if (s->in_ev != NULL)
		stdio_in_cb(s->in_fd, 0, s);
}

void
stdio_stopped(struct stdio *s)
{
	if (s->in_ev != NULL)
		in_end(s);
}

/* ---- stdout, stderr ------------------------------------------------------ */

static struct sink *
sink_of(struct stdio *s, uint32_t stream)
{
	return &s->sinks[stream % 4 == WIRE_STDERR];
}

static void
sink_close(struct sink *k)
{
	buf_free(&k->pending);
	event_del(k->ev);
	close(take_fd(&k->fd));
}

static void
sink_broken(struct sink *k)
{
	sink_close(k);
	channel_send_stop(k->owner->ch, k->stream);
	k->owner->handler.kick(k->owner->arg);
}

/* Bytes taken by the reader; 0 when it takes none now or is gone. */
static size_t
sink_write(struct sink *k, const uint8_t *p, size_t n)
{
	ssize_t r;

	do
		r = write(k->fd, p, n);
	while (r == -1 && errno == EINTR);
	if (r >= 0)
		return (size_t)r;
	if (errno != EAGAIN)
		sink_broken(k);
	return 0;
}

static void
stdio_out_cb(evutil_socket_t fd, short what, void *arg)
{
	struct sink *k = arg;
	struct stdio *s = k->owner;
	size_t n;

	(void)fd;
	(void)what;
	n = sink_write(k, buf_data(&k->pending), buf_len(&k->pending));
	if (k->fd != -1) {
		buf_drain(&k->pending, n);
		channel_consumed(s->ch, k->stream, n);
		s->handler.kick(s->arg);
		if (buf_len(&k->pending) > 0)
			event_add(k->ev, NULL);
		else if (k->eof)
			sink_close(k);
	}
	if (stdio_pending(s) == 0)
		s->handler.flushed(s->arg);
}

void
stdio_data(struct stdio *s, uint32_t stream, const uint8_t *p, size_t n)
{
	struct sink *k = sink_of(s, stream);
	size_t done = 0;

	if (k->fd == -1)
		return;
	if (buf_len(&k->pending) == 0) {
		done = sink_write(k, p, n);
		if (k->fd == -1)
			return;
		channel_consumed(s->ch, stream, done);
	}
	if (done == n)
		return;
	if (buf_append(&k->pending, p + done, n - done) == -1)
		sink_broken(k); /* cannot be: the window is the bound */
	else
		event_add(k->ev, NULL);
}

void
stdio_eof(struct stdio *s, uint32_t stream)
{
	struct sink *k = sink_of(s, stream);

	/* its reader sees the end when the process closes it, which may be
	 * long before the process ends */
	k->eof = true;
	if (buf_len(&k->pending) == 0)
		sink_close(k);
}

size_t
stdio_pending(const struct stdio *s)
{
	return buf_len(&s->sinks[0].pending) + buf_len(&s->sinks[1].pending);
}

/* ---- terminal, life ------------------------------------------------------ */

bool
stdio_without_stdin(const struct stdio *s)
{
	return s->in_null;
}

bool
stdio_size(const struct stdio *s, uint32_t *rows, uint32_t *columns)
{
	struct winsize w;

	if (s->tty_fd == -1 || ioctl(s->tty_fd, TIOCGWINSZ, &w) == -1)
		return false;
	*rows = w.ws_row;
	*columns = w.ws_col;
	return true;
}

bool
stdio_onlcr(const struct stdio *s)
{
	return (s->saved.c_oflag & ONLCR) != 0;
}

static int
terminal_raw(struct stdio *s, int fd, struct err *err)
{
	struct termios raw;

	if (tcgetattr(fd, &s->saved) == -1 ||
	    (s->tty_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) == -1)
		return err_sys(err, "terminal");
	raw = s->saved;
	cfmakeraw(&raw);
	tcsetattr(s->tty_fd, TCSANOW, &raw);
	return 0;
}

static void
in_new(struct stdio *s, struct event_base *base)
{
	struct stat st = {.st_mode = 0};

	/* epoll_ctl(2): EPERM for files that have no notion of readiness; of
	 * the devices /dev/null is the one that is met here */
	s->in_plain = fstat(s->in_fd, &st) == 0 &&
	    (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ||
		S_ISBLK(st.st_mode) ||
		(S_ISCHR(st.st_mode) && !isatty(s->in_fd)));
	s->in_null = S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
	s->in_ev = event_new(
	    base, s->in_fd, s->in_plain ? 0 : EV_READ, stdio_in_cb, s);
}

static void
sink_new(struct stdio *s, int i, struct event_base *base)
{
	struct sink *k = &s->sinks[i];

	k->owner = s;
	k->stream =
	    wire_stream_id(s->session, i == 0 ? WIRE_STDOUT : WIRE_STDERR);
	buf_init(&k->pending, WIRE_WINDOW_MAX);
	k->ev = event_new(base, k->fd, EV_WRITE, stdio_out_cb, k);
}

struct stdio *
stdio_new(struct event_base *base, struct channel *ch, uint32_t session,
    int fds[3], bool terminal, const struct stdio_handler *handler, void *arg,
    struct err *err)
{
	struct stdio *s = calloc(1, sizeof *s);

	if (s == NULL) {
		for (int i = 0; i < 3; i++)
			close(fds[i]);
		err_set(err, "out of memory");
		return NULL;
	}
	s->ch = ch;
	s->session = session;
	s->handler = *handler;
	s->arg = arg;
	s->tty_fd = -1;
	s->in_fd = fds[0];
	s->sinks[0].fd = fds[1];
	s->sinks[1].fd = fds[2];
	in_new(s, base);
	sink_new(s, 0, base);
	sink_new(s, 1, base);
	if (s->in_ev == NULL || s->sinks[0].ev == NULL ||
	    s->sinks[1].ev == NULL) {
		err_set(err, "out of memory");
	} else if (!terminal || terminal_raw(s, s->in_fd, err) == 0) {
		return s;
	}
	stdio_free(s);
	return NULL;
}

void
stdio_free(struct stdio *s)
{
	if (s == NULL)
		return;
	if (s->tty_fd != -1)
		tcsetattr(s->tty_fd, TCSANOW, &s->saved);
	cleanup_closep(&s->tty_fd);
	if (s->in_ev != NULL)
		event_free(s->in_ev);
	cleanup_closep(&s->in_fd);
	for (int i = 0; i < 2; i++) {
		if (s->sinks[i].ev != NULL)
			event_free(s->sinks[i].ev);
		buf_free(&s->sinks[i].pending);
		cleanup_closep(&s->sinks[i].fd);
	}
	free(s);
}
