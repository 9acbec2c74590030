/* SPDX-License-Identifier: Apache-2.0
 * Starts a child of the supervisor. */
#include "supervisor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"

static int
child_setup(const struct spawn *s, struct err *err)
{
	sigset_t none;
	int null;

	/* ignored signals would outlive the exec; ours are only blocked */
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		return err_sys(err, "%s: sigprocmask", s->name);
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		return err_sys(err, "%s: open /dev/null", s->name);
	if (dup2(null, STDIN_FILENO) == -1 ||
	    dup2(s->stderr_fd, STDOUT_FILENO) == -1 ||
	    dup2(s->stderr_fd, STDERR_FILENO) == -1)
		return err_sys(err, "%s: dup2", s->name);
	for (size_t i = 0; i < s->nfds; i++)
		if (fcntl(s->fds[i], F_SETFD, 0) == -1)
			return err_sys(err, "%s: fd %d", s->name, s->fds[i]);
	if (s->confine != NULL && s->confine(s->arg, err) == -1)
		return err_prefix(err, "%s", s->name);
	return 0;
}

static void __attribute__((noreturn))
child_main(const struct spawn *s, int report)
{
	char *const env[] = {NULL};
	struct err err;

	if (child_setup(s, &err) == 0) {
		execve(s->argv[0], s->argv, env);
		err_sys(&err, "%s: exec %s", s->name, s->argv[0]);
	}
	(void)!write(report, err.msg, strlen(err.msg));
	_exit(127);
}

int
spawn_start(const struct spawn *s, struct child *out, struct err *err)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) == -1)
		return err_sys(err, "%s: pipe", s->name);
	out->name = s->name;
	switch (out->pid = fork()) {
	case -1:
		close(p[0]);
		close(p[1]);
		return err_sys(err, "%s: fork", s->name);
	case 0:
		child_main(s, p[1]);
	default:
		close(p[1]);
		out->report_fd = p[0];
		return 0;
	}
}

int
spawn_check(struct child *c, struct err *err)
{
	char msg[ERR_MSG_MAX];
	ssize_t n;

	if (c->report_fd == -1)
		return 0;
	do
		n = read(c->report_fd, msg, sizeof msg - 1);
	while (n == -1 && errno == EINTR);
	close(c->report_fd);
	c->report_fd = -1;
	if (n == 0)
		return 0;
	if (n == -1)
		return err_sys(err, "%s: read", c->name);
	msg[n] = '\0';
	return err_set(err, "%s", msg);
}
