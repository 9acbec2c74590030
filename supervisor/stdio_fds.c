/* SPDX-License-Identifier: Apache-2.0
 * Inherited stdio made fit for an event loop. */
#include "supervisor/stdio_fds.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"

/*
 * A non-blocking fd for an inherited one. Opened anew where possible: the
 * flag belongs to the open file description, which others may share (the
 * shell that started us). A socket cannot be opened; it is ours alone. A file
 * never blocks, and its offset must stay shared.
 */
static int
own_description(int fd, int flags, struct err *err)
{
	char path[32];
	struct stat st;
	int r;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) == -1)
		return err_sys(err, "stdio: fd %d", fd);
	if (!S_ISREG(st.st_mode)) {
		r = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (r != -1)
			return r;
	}
	if ((r = fcntl(fd, F_DUPFD_CLOEXEC, 3)) == -1)
		return err_sys(err, "stdio: fd %d", fd);
	if (!S_ISREG(st.st_mode) &&
	    fcntl(r, F_SETFL, fcntl(r, F_GETFL) | O_NONBLOCK) == -1) {
		close(r);
		return err_sys(err, "stdio: fd %d", fd);
	}
	return r;
}

int
stdio_inherit(int fds[3], struct err *err)
{
	AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	fds[0] = own_description(STDIN_FILENO, O_RDONLY, err);
	fds[1] = own_description(STDOUT_FILENO, O_WRONLY, err);
	fds[2] = own_description(STDERR_FILENO, O_WRONLY, err);
	if (fds[0] == -1 || fds[1] == -1 || fds[2] == -1)
		return -1;
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1)
		return err_sys(err, "/dev/null");
	return 0;
}
