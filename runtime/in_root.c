/* SPDX-License-Identifier: Apache-2.0
 * Files of an image. */
#include "runtime/in_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/cleanup.h"

int
in_root_open(int root, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (uint64_t)(flags | O_CLOEXEC),
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* What an O_PATH descriptor stands for, open(2). */
static int
reopen(int fd)
{
	char path[32];
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int
in_root_open_file(int root, const char *path)
{
	AUTO_CLOSE int fd = in_root_open(root, path, O_PATH);

	return reopen(fd);
}

int
in_root_open_host_file(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);

	return reopen(fd);
}
