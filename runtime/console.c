/* SPDX-License-Identifier: Apache-2.0
 * The container's terminal, made raw before anybody can type. */
#include "runtime/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "runtime/cli.h"
#include "runtime/xalloc.h"

#define OPTION "--console-socket"
#define SUFFIX ".runq"
/* Above all that the container inherits. */
#define ALIVE_FD_MIN 64

/* Where in the command line the socket's path is, and after how many bytes. */
static char **
find_path(struct cli *cli, size_t *skip)
{
	size_t len = strlen(OPTION);

	for (size_t i = 0; i < cli->rest.n; i++) {
		char *arg = cli->rest.v[i];

		*skip = 0;
		if (strcmp(arg, OPTION) == 0 && i + 1 < cli->rest.n)
			return &cli->rest.v[i + 1];
		*skip = len + 1;
		if (strncmp(arg, OPTION "=", len + 1) == 0)
			return &cli->rest.v[i];
	}
	return NULL;
}

static int
address(const char *path, struct sockaddr_un *sa, struct err *err)
{
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(sa->sun_path))
		return err_set(err, OPTION " %.200s: longer than %zu bytes",
		    path, sizeof(sa->sun_path) - 1 - strlen(SUFFIX));
	strcpy(sa->sun_path, path);
	return 0;
}

static int
listen_at(const struct sockaddr_un *sa, struct err *err)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 ||
	    bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) == -1 ||
	    listen(fd, 1) == -1)
		return err_sys(err, OPTION " %.200s", sa->sun_path);
	return take_fd(&fd);
}

/* ---- the process between ------------------------------------------------- */

/* Input as in cfmakeraw(3); output is the business of whoever reads it. */
static void
make_input_raw(int master)
{
	struct termios t;

	if (tcgetattr(master, &t) == -1)
		return;
	t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR |
	    IGNCR | ICRNL | IXON);
	t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	tcsetattr(master, TCSANOW, &t);
}

/* One message with one fd, from and to; -1 when there is none. */
static int
hand_on(int from, int to)
{
	char name[4096];
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {name, sizeof(name)};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	ssize_t n = recvmsg(from, &msg, MSG_CMSG_CLOEXEC);
	int master;

	if (n <= 0 || (c = CMSG_FIRSTHDR(&msg)) == NULL ||
	    c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&master, CMSG_DATA(c), sizeof(master));
	make_input_raw(master);
	iov.iov_len = (size_t)n;
	msg.msg_flags = 0;
	return sendmsg(to, &msg, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

/* Until the delegate has sent its terminal, or is gone. */
static void
serve(int listener, int alive, const struct sockaddr_un *ours,
    const struct sockaddr_un *theirs)
{
	struct pollfd p[] = {{.fd = listener, .events = POLLIN},
	    {.fd = alive, .events = POLLIN}};
	AUTO_CLOSE int from = -1, to = -1;

	while (poll(p, 2, -1) == -1 && errno == EINTR)
		;
	if (p[0].revents & POLLIN)
		from = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	unlink(ours->sun_path);
	to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (from == -1 || to == -1 ||
	    connect(to, (const struct sockaddr *)theirs, sizeof(*theirs)) == -1)
		return;
	hand_on(from, to);
}

/* It holds nothing that somebody may wait for. */
static void
let_go(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= STDERR_FILENO && null != -1; fd++)
		dup2(null, fd);
	setsid();
	signal(SIGPIPE, SIG_IGN);
}

/* Forks twice: whoever reaps orphans reaps it. The write end of the pipe stays
 * open in the delegate, and tells when that has ended. */
static int
start(int listener, const struct sockaddr_un *ours,
    const struct sockaddr_un *theirs, struct err *err)
{
	int alive[2], keep, status;
	pid_t pid;

	if (pipe2(alive, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		return err_sys(err, OPTION);
	if (pid == 0) {
		if (fork() != 0)
			_exit(0);
		close(alive[1]);
		let_go();
		serve(listener, alive[0], ours, theirs);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	close(alive[0]);
	keep = fcntl(alive[1], F_DUPFD, ALIVE_FD_MIN);
	close(alive[1]);
	return keep == -1 ? err_sys(err, OPTION) : 0;
}

int
console_interpose(struct cli *cli, struct err *err)
{
	struct sockaddr_un ours, theirs;
	AUTO_CLOSE int listener = -1;
	size_t skip;
	char **arg = find_path(cli, &skip), *with;

	if (arg == NULL)
		return 0;
	if (address(*arg + skip, &theirs, err) == -1)
		return -1;
	with = xasprintf("%s" SUFFIX, *arg);
	free(*arg);
	*arg = with;
	if (address(with + skip, &ours, err) == -1 ||
	    (listener = listen_at(&ours, err)) == -1)
		return -1;
	return start(listener, &ours, &theirs, err);
}
