/* SPDX-License-Identifier: Apache-2.0
 * Signals of PID 1, read from a signalfd.
 *
 * SIGCHLD and SIGWINCH have two senders: the kernel, for our children and our
 * terminal, and people, for the entry point (a web server's graceful stop is
 * SIGWINCH). signalfd says which (signalfd(2), ssi_code: SI_USER and below
 * come from a process). SIGPIPE of our own writes is SI_USER from ourselves.
 */
#include "supervisor/signals.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct signals {
	struct event *ev;
	int fd;
	struct signals_handler handler;
	void *arg;
};

void
signals_block(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static void
reap(struct signals *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		s->handler.child(s->arg, pid, status);
}

static void
take(struct signals *s, const struct signalfd_siginfo *si)
{
	int signo = (int)si->ssi_signo;

	/* always, as two senders' signals may have merged, and only the first
	 * one is told */
	if (signo == SIGCHLD)
		reap(s);
	if (signo == SIGWINCH)
		s->handler.resized(s->arg);
	if (si->ssi_code <= SI_USER) {
		if (si->ssi_pid != (uint32_t)getpid())
			s->handler.forward(s->arg, signo);
	} else if (signo == SIGHUP || signo == SIGINT || signo == SIGQUIT ||
	    signo == SIGTSTP) {
		/* the terminal's: its hang-up, or keys before raw mode */
		s->handler.forward(s->arg, signo);
	}
}

static void
signals_cb(evutil_socket_t fd, short what, void *arg)
{
	struct signalfd_siginfo si[16];
	ssize_t n;

	(void)what;
	n = read(fd, si, sizeof si);
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof si[0]; i++)
		take(arg, &si[i]);
}

struct signals *
signals_new(struct event_base *base, const struct signals_handler *handler,
    void *arg, struct err *err)
{
	struct signals *s = calloc(1, sizeof *s);
	sigset_t all;

	if (s == NULL) {
		err_set(err, "out of memory");
		return NULL;
	}
	s->handler = *handler;
	s->arg = arg;
	sigfillset(&all);
	s->fd = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->fd != -1)
		s->ev =
		    event_new(base, s->fd, EV_READ | EV_PERSIST, signals_cb, s);
	if (s->ev == NULL || event_add(s->ev, NULL) == -1) {
		err_sys(err, "signalfd");
		signals_free(s);
		return NULL;
	}
	return s;
}

void
signals_free(struct signals *s)
{
	if (s == NULL)
		return;
	if (s->ev != NULL)
		event_free(s->ev);
	if (s->fd != -1)
		close(s->fd);
	free(s);
}
