/* SPDX-License-Identifier: Apache-2.0
 * Reads and writes stdio without ever waiting for it. */
#include "runtime/rexec_stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_again(int std)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", std);
	return open(path,
	    (std == STDIN_FILENO ? O_RDONLY : O_WRONLY) | O_NONBLOCK |
		O_NOCTTY | O_CLOEXEC);
}

void
stdio_fd_open(struct stdio_fd *s, int std)
{
	struct stat st;
	int fd;

	*s = (struct stdio_fd){std, std, STDIO_SHARED};
	if (fstat(std, &st) == -1) {
		s->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		s->kind = STDIO_FILE;
	} else if (S_ISSOCK(st.st_mode)) {
		s->kind = STDIO_SOCKET;
	} else if (!S_ISFIFO(st.st_mode) && !isatty(std)) {
		s->kind = STDIO_FILE;
	} else if ((fd = open_again(std)) != -1) {
		/* may be refused: a terminal of another user, after su(1) */
		s->fd = fd;
		s->kind = STDIO_OWN;
	}
}

void
stdio_fd_close(struct stdio_fd *s)
{
	if (s->fd == -1)
		return;
	if (s->fd != s->std)
		close(s->fd);
	s->fd = -1;
	if (s->std != STDERR_FILENO && !isatty(s->std))
		close(s->std);
}

ssize_t
stdio_fd_read(struct stdio_fd *s, void *p, size_t n)
{
	if (s->kind == STDIO_SOCKET)
		return recv(s->fd, p, n, MSG_DONTWAIT);
	return read(s->fd, p, n);
}

ssize_t
stdio_fd_write(struct stdio_fd *s, const void *p, size_t n, _Bool polled)
{
	if (s->kind == STDIO_SOCKET)
		return send(s->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (s->kind == STDIO_SHARED) {
		if (!polled) {
			errno = EAGAIN;
			return -1;
		}
		/* pipe(7): POLLOUT means room for that much */
		if (n > PIPE_BUF)
			n = PIPE_BUF;
	}
	return write(s->fd, p, n);
}
