/* SPDX-License-Identifier: Apache-2.0
 * ninepd: what opens, makes, moves and removes files. */
#include "supervisor/ninepd_do.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "supervisor/ninepd_path.h"

/* What a guest may ask for, the rest of open(2)'s flags is left out. */
#define OPEN_FLAGS                                                             \
	(O_ACCMODE | O_APPEND | O_TRUNC | O_DIRECTORY | O_SYNC | O_DSYNC |     \
	    O_NOATIME)
#define MODE_BITS 07777

struct ninep_fd_name
ninep_fd_name(int fd)
{
	struct ninep_fd_name n;

	snprintf(n.s, sizeof n.s, "%d", fd);
	return n;
}

/* Files that are made belong to whom the guest says; to root with an id of -1,
 * which is none. The capabilities stay, see ninepd.c. */
static void
act_as(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
}

int
ninep_end_at(
    const struct ninep *n, const struct ninep_request *req, const char *path)
{
	int fd;

	if (!ninep_get_end(req))
		return -EINVAL;
	fd = ninep_path_open(n->root, path);
	return fd == -1 ? -errno : fd;
}

/* The same for the folder in which a name is to be made, from here on as its
 * owner, until end_making(). */
static int
begin_making(const struct ninep *n, const struct ninep_request *req,
    const char *path, const char **name, uid_t uid, gid_t gid)
{
	int dir;

	if (!ninep_get_end(req))
		return -EINVAL;
	if ((dir = ninep_path_parent(n->root, path, name)) == -1)
		return -errno;
	act_as(uid, gid);
	return dir;
}

/* r is what a system call returned: 0, a descriptor, -1. */
static int
end_making(int r)
{
	if (r == -1)
		r = -errno;
	act_as(0, 0);
	return r;
}

/* ---- opening ------------------------------------------------------------- */

/* What an O_PATH descriptor stands for, opened: never a device or a FIFO. */
static int
reopen(const struct ninep *n, int path_fd, int flags)
{
	struct stat st;
	int fd;

	if (fstat(path_fd, &st) == -1)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -ENXIO;
	fd = openat(n->proc, ninep_fd_name(path_fd).s,
	    (flags & OPEN_FLAGS) | O_CLOEXEC | O_NOCTTY);
	return fd == -1 ? -errno : fd;
}

int
ninep_open_path(const struct ninep *n, const char *path, int flags)
{
	AUTO_CLOSE int fd = ninep_path_open(n->root, path);

	return fd == -1 ? -errno : reopen(n, fd, flags);
}

int
ninep_do_open(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	int flags = (int)ninep_get_u32(req);

	(void)reply;
	return ninep_get_end(req) ? ninep_open_path(n, path, flags) : -EINVAL;
}

int
ninep_do_create(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req), *name;
	int flags = (int)ninep_get_u32(req), fd;
	mode_t mode = ninep_get_u32(req) & MODE_BITS;
	uid_t uid = ninep_get_u32(req);
	gid_t gid = ninep_get_u32(req);
	AUTO_CLOSE int dir = -1;

	(void)reply;
	if ((dir = begin_making(n, req, path, &name, uid, gid)) < 0)
		return dir;
	fd = end_making(openat(dir, name,
	    (flags & OPEN_FLAGS) | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    mode));
	if (fd == -EEXIST && (flags & O_EXCL) == 0)
		return ninep_open_path(n, path, flags);
	return fd;
}

/* ---- making, removing ---------------------------------------------------- */

int
ninep_do_mknod(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	uid_t uid = ninep_get_u32(req);
	gid_t gid = ninep_get_u32(req);
	const char *path = ninep_get_str(req), *name;
	mode_t mode = ninep_get_u32(req);
	dev_t dev = ninep_get_u64(req);
	AUTO_CLOSE int dir = -1;

	(void)reply;
	if ((dir = begin_making(n, req, path, &name, uid, gid)) < 0)
		return dir;
	return end_making(mknodat(dir, name, mode & (S_IFMT | MODE_BITS), dev));
}

int
ninep_do_mkdir(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	uid_t uid = ninep_get_u32(req);
	gid_t gid = ninep_get_u32(req);
	const char *path = ninep_get_str(req), *name;
	mode_t mode = ninep_get_u32(req);
	AUTO_CLOSE int dir = -1;

	(void)reply;
	if ((dir = begin_making(n, req, path, &name, uid, gid)) < 0)
		return dir;
	return end_making(mkdirat(dir, name, mode & MODE_BITS));
}

int
ninep_do_symlink(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	uid_t uid = ninep_get_u32(req);
	gid_t gid = ninep_get_u32(req);
	const char *target = ninep_get_str(req);
	const char *path = ninep_get_str(req), *name;
	AUTO_CLOSE int dir = -1;

	(void)reply;
	if ((dir = begin_making(n, req, path, &name, uid, gid)) < 0)
		return dir;
	return end_making(symlinkat(target, dir, name));
}

int
ninep_do_link(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *from = ninep_get_str(req);
	const char *to = ninep_get_str(req), *name;
	AUTO_CLOSE int fd = -1, dir = -1;

	(void)reply;
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((fd = ninep_path_open(n->root, from)) == -1 ||
	    (dir = ninep_path_parent(n->root, to, &name)) == -1)
		return -errno;
	return ninep_result(
	    linkat(n->proc, ninep_fd_name(fd).s, dir, name, AT_SYMLINK_FOLLOW));
}

int
ninep_do_rename(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *from = ninep_get_str(req), *from_name;
	const char *to = ninep_get_str(req), *to_name;
	AUTO_CLOSE int from_dir = -1, to_dir = -1;

	(void)reply;
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((from_dir = ninep_path_parent(n->root, from, &from_name)) == -1 ||
	    (to_dir = ninep_path_parent(n->root, to, &to_name)) == -1)
		return -errno;
	return ninep_result(renameat(from_dir, from_name, to_dir, to_name));
}

int
ninep_do_remove(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req), *name;
	AUTO_CLOSE int dir = -1;
	struct stat st;

	(void)reply;
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((dir = ninep_path_parent(n->root, path, &name)) == -1 ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -errno;
	return ninep_result(
	    unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0));
}
