/* SPDX-License-Identifier: Apache-2.0
 * What a process on its way to exec(2) tells the agent. */
#include "guest-agent/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest-agent/container.h"

enum report_type {
	REPORT_TERMINAL = 1,
	REPORT_READY,
	REPORT_FAILED
};

struct report {
	uint32_t type;
	uint32_t code;
	char text[ERR_MSG_MAX];
};

union fd_control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

int
report_pair(int *ours, int *childs, struct err *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return err_sys(err, "socketpair");
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1) {
		err_sys(err, "socketpair");
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	*ours = fds[0];
	*childs = fds[1];
	return 0;
}

static int
send_report(int fd, const struct report *r, int master)
{
	struct iovec iov = {
	    .iov_base = (void *)(uintptr_t)r, .iov_len = sizeof(*r)};
	union fd_control control;
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (master != -1) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &master, sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

int
report_terminal(int fd, int master, struct err *err)
{
	struct report r = {.type = REPORT_TERMINAL};

	return send_report(fd, &r, master) == -1
	    ? err_sys(err, "report the terminal")
	    : 0;
}

int
report_ready(int fd, struct err *err)
{
	struct report r = {.type = REPORT_READY};

	return send_report(fd, &r, -1) == -1 ? err_sys(err, "report") : 0;
}

noreturn void
report_failed(int fd, uint32_t code, const struct err *err)
{
	struct report r = {.type = REPORT_FAILED, .code = code};

	memcpy(r.text, err->msg, sizeof(r.text));
	r.text[sizeof(r.text) - 1] = '\0';
	/* should this fail the agent still has the exit status */
	(void)send_report(fd, &r, -1);
	_exit((int)code);
}

static int
receive(int fd, struct report *r, int *master, ssize_t *len)
{
	struct iovec iov = {.iov_base = r, .iov_len = sizeof(*r)};
	union fd_control control;
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.buf,
	    .msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c;

	do
		*len = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (*len == -1 && errno == EINTR);
	if (*len == -1)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(master, CMSG_DATA(c), sizeof(int));
	return 0;
}

static enum process_event
ended(const struct process *p, uint32_t *code, struct err *err)
{
	if (p->ready)
		return PROCESS_STARTED;
	*code = 125;
	err_set(err, "the process ended while it was being set up");
	return PROCESS_FAILED;
}

enum process_event
process_report(struct process *p, int *master, uint32_t *code, struct err *err)
{
	struct report r;
	ssize_t len;

	*master = -1;
	for (;;) {
		if (receive(p->report_fd, &r, master, &len) == -1) {
			if (errno == EAGAIN)
				return PROCESS_WAIT;
			len = 0;
		}
		if (len != (ssize_t)sizeof(r))
			return ended(p, code, err);
		if (r.type == REPORT_TERMINAL && *master != -1)
			return PROCESS_TERMINAL;
		if (r.type == REPORT_FAILED)
			break;
		p->ready = true;
	}
	*code = r.code;
	memcpy(err->msg, r.text, sizeof(err->msg));
	err->msg[sizeof(err->msg) - 1] = '\0';
	return PROCESS_FAILED;
}
