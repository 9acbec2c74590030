/* SPDX-License-Identifier: Apache-2.0
 * Mounts as file descriptors. */
#include "guest-agent/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/cleanup.h"

/* A file system context queues its messages for read(2): "e text\n". */
static int
context_error(int fs, const char *type, const char *what, struct err *err)
{
	int saved = errno;
	char msg[256];
	ssize_t n = read(fs, msg, sizeof(msg) - 1);

	errno = saved;
	if (n <= 2)
		return err_sys(err, "%s%s%s", type, what[0] ? ", " : "", what);
	msg[n] = '\0';
	msg[strcspn(msg, "\n")] = '\0';
	return err_set(err, "%s: %s", msg + 2, strerror(saved));
}

static int
set_param(int fs, const char *type, const char *param, struct err *err)
{
	char key[64];
	size_t len = strcspn(param, "=");
	int r;

	if (len >= sizeof(key))
		return err_set(err, "%s: option too long", type);
	memcpy(key, param, len);
	key[len] = '\0';
	if (param[len] == '=')
		r = fsconfig(fs, FSCONFIG_SET_STRING, key, param + len + 1, 0);
	else
		r = fsconfig(fs, FSCONFIG_SET_FLAG, key, NULL, 0);
	return r == -1 ? context_error(fs, type, param, err) : 0;
}

int
mnt_create(const char *type, const char *source, const char *const *params,
    size_t n, uint64_t attrs, struct err *err)
{
	AUTO_CLOSE int fs = fsopen(type, FSOPEN_CLOEXEC);
	int fd;

	if (fs == -1)
		return err_sys(err, "file system %s", type);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) == -1)
		return context_error(fs, type, "source", err);
	for (size_t i = 0; i < n; i++)
		if (set_param(fs, type, params[i], err) == -1)
			return -1;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1)
		return context_error(fs, type, "", err);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attrs);
	return fd == -1 ? context_error(fs, type, "", err) : fd;
}

int
mnt_clone(int dirfd, const char *path, bool recursive, struct err *err)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
	    AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
	int fd =
	    open_tree(dirfd, path, recursive ? flags | AT_RECURSIVE : flags);

	return fd == -1 ? err_sys(err, "bind %s", path) : fd;
}

int
mnt_set(int fd, uint64_t set, uint64_t clear, uint64_t propagation,
    bool recursive, struct err *err)
{
	struct mount_attr attr = {
	    .attr_set = set, .attr_clr = clear, .propagation = propagation};

	if (set == 0 && clear == 0 && propagation == 0)
		return 0;
	if (mount_setattr(fd, "",
		AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
		sizeof(attr)) == -1)
		return err_sys(err, "mount attributes");
	return 0;
}

int
mnt_attach(int mnt, int target, struct err *err)
{
	if (move_mount(mnt, "", target, "",
		MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == -1)
		return err_sys(err, "mount");
	return 0;
}
