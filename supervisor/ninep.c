/* SPDX-License-Identifier: Apache-2.0
 * ninepd: exports PATH_SHARE through QEMU's 9p, from its own sandbox. */
#include "supervisor/ninep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/paths.h"
#include "supervisor/share.h"

#define READY_DEADLINE 30000 /* ms */

/* QEMU asks for the root as soon as it has the device: what is wrong with the
 * server must be known before, or QEMU is blamed. */
static int
wait_ready(int fd, int log, struct err *err)
{
	struct pollfd p = {.fd = fd, .events = POLLIN},
		      said = {.fd = log, .events = POLLIN};
	char line[ERR_MSG_MAX];
	ssize_t n = 0;
	int r;

	while ((r = poll(&p, 1, READY_DEADLINE)) == -1 && errno == EINTR)
		;
	if (r == 0)
		return err_set(err, "ninepd did not start in time");
	if (read(fd, line, 1) == 1)
		return 0;
	/* it has ended: what it said is there, if it said anything */
	if (poll(&said, 1, 0) == 1)
		n = read(log, line, sizeof line - 1);
	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return err_set(err, "%s", n > 0 ? line : "ninepd ended at once");
}

int
ninep_start(int log, struct share *out, struct err *err)
{
	AUTO_CLOSE int theirs = -1, ready = -1, readied = -1;
	char sock[16], fd[16];
	char *argv[] = {(char[]){PATH_NINEPD}, sock, fd, NULL};
	int pair[2], p[2], fds[2];
	struct spawn s = {.name = "ninepd",
	    .argv = argv,
	    .fds = fds,
	    .nfds = 2,
	    .stderr_fd = log};

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		return err_sys(err, "ninepd: socketpair");
	out->socket_fd = pair[0];
	fds[0] = theirs = pair[1];
	if (pipe2(p, O_CLOEXEC) == -1)
		return err_sys(err, "ninepd: pipe");
	ready = p[0];
	fds[1] = readied = p[1];
	snprintf(sock, sizeof sock, "%d", fds[0]);
	snprintf(fd, sizeof fd, "%d", fds[1]);
	if (spawn_start(&s, &out->child, err) == -1)
		return -1;
	close(take_fd(&readied));
	if (spawn_check(&out->child, err) == -1)
		return -1;
	return wait_ready(ready, out->stderr_fd, err);
}
