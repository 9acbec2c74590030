/* SPDX-License-Identifier: Apache-2.0
 * Documents for another program, in sealed memfds. */
#include "runtime/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "lib/cleanup.h"

static int
fill(int fd, const char *name, const char *text, size_t len, struct err *err)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n == -1 && errno != EINTR)
			return err_sys(err, "write %s", name);
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	if (lseek(fd, 0, SEEK_SET) == -1 ||
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == -1)
		return err_sys(err, "seal %s", name);
	return 0;
}

int
memfd_make(const char *name, const char *text, size_t len, struct err *err)
{
	AUTO_CLOSE int fd = -1;

	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return err_sys(err, "memfd_create");
	if (fill(fd, name, text, len, err) == -1)
		return -1;
	return take_fd(&fd);
}

int
memfd_place(
    int fd, const char *name, const char *text, size_t len, struct err *err)
{
	AUTO_CLOSE int from = memfd_make(name, text, len, err);

	if (from == -1)
		return -1;
	/* dup2 to itself would leave FD_CLOEXEC set */
	if (from == fd) {
		if (fcntl(fd, F_SETFD, 0) == -1)
			return err_sys(err, "%s", name);
		take_fd(&from);
		return 0;
	}
	if (dup2(from, fd) == -1)
		return err_sys(err, "%s", name);
	return 0;
}
