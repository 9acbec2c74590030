/* SPDX-License-Identifier: Apache-2.0
 * Paths of the share, as QEMU sends them. */
#include "supervisor/ninepd_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRIES 8

/* EAGAIN: a directory on the way was renamed meanwhile, openat2(2). */
static int
open_below(int root, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (uint64_t)(O_PATH | O_CLOEXEC | O_NOFOLLOW | flags),
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
	};
	int fd = -1;

	path += strspn(path, "/");
	if (*path == '\0')
		path = ".";
	for (int i = 0; i < TRIES; i++) {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
		if (fd != -1 || errno != EAGAIN)
			break;
	}
	return fd;
}

int
ninep_path_open(int root, const char *path)
{
	return open_below(root, path, 0);
}

int
ninep_path_parent(int root, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	size_t n;

	*name = slash != NULL ? slash + 1 : path;
	n = (size_t)(*name - path);
	if (n >= sizeof dir) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (**name == '\0' || strcmp(*name, ".") == 0 ||
	    strcmp(*name, "..") == 0) {
		errno = EINVAL;
		return -1;
	}
	memcpy(dir, path, n);
	dir[n] = '\0';
	return open_below(root, dir, O_DIRECTORY);
}
