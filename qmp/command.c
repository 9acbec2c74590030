/* SPDX-License-Identifier: Apache-2.0
 * One QMP command from its queueing to its reply. */
#include "qmp/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "qmp/codec.h"

struct qmp_command *
qmp_command_new(
    const char *name, struct json_object *args, uint64_t id, int pass_fd)
{
	AUTO_CLOSE int fd = pass_fd;
	struct qmp_command *cmd;

	if ((cmd = calloc(1, sizeof *cmd)) == NULL)
		return NULL;
	cmd->pass_fd = take_fd(&fd);
	cmd->id = id;
	cmd->name = strdup(name);
	cmd->line = qmp_encode(name, args, id, &cmd->len);
	if (cmd->name == NULL || cmd->line == NULL) {
		qmp_command_free(cmd);
		return NULL;
	}
	return cmd;
}

void
qmp_command_free(struct qmp_command *cmd)
{
	if (cmd == NULL)
		return;
	cleanup_closep(&cmd->pass_fd);
	free(cmd->name);
	free(cmd->line);
	free(cmd);
}

/*
 * SCM_RIGHTS travels with the first byte of the sendmsg(2) it is given to
 * (unix(7)), and QEMU keeps only the fds that came last: so a command and its
 * fd start together in one call, and no other command's bytes are in it.
 */
static ssize_t
command_sendmsg(const struct qmp_command *cmd, int sock)
{
	struct iovec iov = {cmd->line + cmd->sent, cmd->len - cmd->sent};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct cmsghdr *c;

	if (cmd->pass_fd != -1) {
		memset(&control, 0, sizeof control);
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof control.space;
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &cmd->pass_fd, sizeof(int));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int
qmp_command_send(struct qmp_command *cmd, int sock)
{
	ssize_t n;

	while (cmd->sent < cmd->len) {
		if ((n = command_sendmsg(cmd, sock)) == -1) {
			if (errno == EINTR)
				continue;
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
		}
		cmd->sent += (size_t)n;
		if (cmd->pass_fd != -1)
			close(take_fd(&cmd->pass_fd));
	}
	free(cmd->line);
	cmd->line = NULL;
	return 1;
}

struct qmp_command *
qmp_commands_find(struct qmp_commands *list, uint64_t id)
{
	struct qmp_command *cmd;

	TAILQ_FOREACH (cmd, list, link)
		if (cmd->id == id)
			return cmd;
	return NULL;
}

const struct qmp_command *
qmp_commands_earliest(
    const struct qmp_commands *list, const struct qmp_command *best)
{
	const struct qmp_command *cmd;

	TAILQ_FOREACH (cmd, list, link)
		if (best == NULL || cmd->deadline < best->deadline)
			best = cmd;
	return best;
}

void
qmp_commands_clear(struct qmp_commands *list)
{
	struct qmp_command *cmd;

	while ((cmd = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, cmd, link);
		qmp_command_free(cmd);
	}
}
