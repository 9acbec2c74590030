/* SPDX-License-Identifier: Apache-2.0
 * The relay: what `runq exec` lets runc start in the container in place of a
 * process that is to run in the guest. It hands its stdio and the process to
 * the supervisor, passes on signals, and ends with the process's exit code. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/paths.h"
#include "lib/relay.h"
#include "supervisor/exec_door.h"
#include "supervisor/stdio_fds.h"

#define EXIT_FAILED 125
/* From when an engine says that the container runs until its supervisor
 * listens, which is the first that it does, ms. */
#define DIAL_DEADLINE 30000
/* The VM ended under the session: what a killed process would give. */
#define EXIT_VM_GONE 137

struct terminal {
	bool raw;
	struct termios saved;
};

/*
 * Keys are for the guest's terminal, also those that are typed before it is
 * there: this one must not act on them. The supervisor does the same, later.
 */
static void
terminal_raw(struct terminal *t)
{
	struct termios raw;

	if (tcgetattr(STDERR_FILENO, &t->saved) == -1)
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	t->raw = tcsetattr(STDERR_FILENO, TCSANOW, &raw) == 0;
}

/* Before anything is written to it from here. */
static void
terminal_restore(struct terminal *t)
{
	if (t->raw)
		tcsetattr(STDERR_FILENO, TCSANOW, &t->saved);
	t->raw = false;
}

static int
send_message(int fd, enum relay_type type, uint32_t value)
{
	const struct relay_message m = {.type = type, .value = value};

	return send(fd, &m, sizeof m, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

static int
send_start(int fd, const int fds[RELAY_START_FDS], struct err *err)
{
	struct relay_message m = {.type = RELAY_START, .value = RELAY_VERSION};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * RELAY_START_FDS)];
	} control = {.room = {0}};
	struct iovec iov = {&m, sizeof m};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * RELAY_START_FDS);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * RELAY_START_FDS);
	if (sendmsg(fd, &msg, MSG_NOSIGNAL) == -1)
		return err_sys(err, "exec: send to the VM's supervisor");
	return 0;
}

/* Gives everything away but stderr, so that ends of file are the guest's. */
static int
hand_over(int fd, struct err *err)
{
	int fds[RELAY_START_FDS] = {RELAY_PROCESS_FD, -1, -1, -1};
	int r;

	if (stdio_inherit(fds + 1, err) == -1)
		return -1;
	r = send_start(fd, fds, err);
	for (int i = 0; i < RELAY_START_FDS; i++)
		close(fds[i]);
	return r;
}

static void
take_signal(int fd, int signals)
{
	struct signalfd_siginfo si;

	if (read(signals, &si, sizeof si) != sizeof si)
		return;
	/* from the terminal or from somebody: signals.c has the story */
	if (si.ssi_signo == SIGWINCH)
		send_message(fd, RELAY_RESIZE, 0);
	if (si.ssi_signo != SIGPIPE &&
	    (si.ssi_signo != SIGWINCH || si.ssi_code <= SI_USER))
		send_message(fd, RELAY_SIGNAL, si.ssi_signo);
}

/*
 * A message of ours that crosses the supervisor's last one and its close is an
 * error of the socket, told before what is still queued: it is no end.
 */
static bool
receive(int fd, struct relay_message *m)
{
	ssize_t n;

	do {
		n = recv(fd, m, sizeof *m, 0);
	} while (n == -1 && (errno == ECONNRESET || errno == EINTR));
	return n == (ssize_t)sizeof *m;
}

/* The exit code. */
static int
serve(int fd, int signals, struct terminal *t)
{
	struct pollfd p[] = {
	    {.fd = fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	struct relay_message m;

	for (;;) {
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			return EXIT_FAILED;
		if (p[1].revents != 0)
			take_signal(fd, signals);
		if (p[0].revents == 0)
			continue;
		if (!receive(fd, &m))
			return EXIT_VM_GONE;
		if (m.type != RELAY_EXIT)
			continue;
		terminal_restore(t);
		m.text[sizeof m.text - 1] = '\0';
		if (m.text[0] != '\0')
			log_error("%s", m.text);
		return (int)(m.value & 0xff);
	}
}

int
main(int argc, char **argv)
{
	AUTO_CLOSE int fd = -1, signals = -1;
	struct terminal terminal = {.raw = false};
	struct err err;
	sigset_t all;

	log_init("runq", STDERR_FILENO, LOG_LEVEL_WARN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signals = signalfd(-1, &all, SFD_CLOEXEC);
	if (argc == 2 && strcmp(argv[1], RELAY_TERMINAL) == 0)
		terminal_raw(&terminal);
	fd = exec_door_dial(PATH_EXEC_SOCKET, DIAL_DEADLINE, &err);
	if (fd == -1 || hand_over(fd, &err) == -1) {
		terminal_restore(&terminal);
		log_error("%s", err.msg);
		return EXIT_FAILED;
	}
	return serve(fd, signals, &terminal);
}
