/* SPDX-License-Identifier: Apache-2.0
 * What QEMU asks of the file systems. It is answered with an open file only
 * for regular files and directories; every path is resolved once, to an O_PATH
 * descriptor, and used through that. */
#include "supervisor/ninepd_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "supervisor/ninepd_path.h"

/* What a guest may ask for, the rest of open(2)'s flags is left out. */
#define OPEN_FLAGS                                                             \
	(O_ACCMODE | O_APPEND | O_TRUNC | O_DIRECTORY | O_SYNC | O_DSYNC |     \
	    O_NOATIME)
#define MODE_BITS 07777

/* The name of a descriptor in /proc/self/fd. */
struct fd_name {
	char s[16];
};

static struct fd_name
name_of(int fd)
{
	struct fd_name n;

	snprintf(n.s, sizeof n.s, "%d", fd);
	return n;
}

static int
result(int r)
{
	return r == -1 ? -errno : 0;
}

/* Files that are made belong to whom the guest says. There is nobody to tell
 * when it fails: the caller sees it by EPERM. The capabilities stay, see
 * ninepd.c. */
static void
act_as(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
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
	fd = openat(n->proc, name_of(path_fd).s,
	    (flags & OPEN_FLAGS) | O_CLOEXEC | O_NOCTTY);
	return fd == -1 ? -errno : fd;
}

static int
open_path(const struct ninep *n, const char *path, int flags)
{
	AUTO_CLOSE int fd = ninep_path_open(n->root, path);

	return fd == -1 ? -errno : reopen(n, fd, flags);
}

static int
do_open(struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	int flags = (int)ninep_get_u32(req);

	(void)reply;
	return ninep_get_end(req) ? open_path(n, path, flags) : -EINVAL;
}

static int
do_create(struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req), *name;
	int flags = (int)ninep_get_u32(req), fd;
	mode_t mode = ninep_get_u32(req) & MODE_BITS;
	uid_t uid = ninep_get_u32(req);
	gid_t gid = ninep_get_u32(req);
	AUTO_CLOSE int dir = -1;

	(void)reply;
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((dir = ninep_path_parent(n->root, path, &name)) == -1)
		return -errno;
	act_as(uid, gid);
	fd = openat(dir, name,
	    (flags & OPEN_FLAGS) | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    mode);
	if (fd == -1)
		fd = -errno;
	act_as(0, 0);
	if (fd == -EEXIST && (flags & O_EXCL) == 0)
		return open_path(n, path, flags);
	return fd;
}

/* ---- making, removing ---------------------------------------------------- */

static int
do_mknod(struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	uid_t uid = ninep_get_u32(req);
	gid_t gid = ninep_get_u32(req);
	const char *path = ninep_get_str(req), *name;
	mode_t mode = ninep_get_u32(req);
	dev_t dev = ninep_get_u64(req);
	AUTO_CLOSE int dir = -1;
	int r;

	(void)reply;
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((dir = ninep_path_parent(n->root, path, &name)) == -1)
		return -errno;
	act_as(uid, gid);
	r = result(mknodat(dir, name, mode & (S_IFMT | MODE_BITS), dev));
	act_as(0, 0);
	return r;
}

static int
do_mkdir(struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	uid_t uid = ninep_get_u32(req);
	gid_t gid = ninep_get_u32(req);
	const char *path = ninep_get_str(req), *name;
	mode_t mode = ninep_get_u32(req);
	AUTO_CLOSE int dir = -1;
	int r;

	(void)reply;
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((dir = ninep_path_parent(n->root, path, &name)) == -1)
		return -errno;
	act_as(uid, gid);
	r = result(mkdirat(dir, name, mode & MODE_BITS));
	act_as(0, 0);
	return r;
}

static int
do_symlink(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	uid_t uid = ninep_get_u32(req);
	gid_t gid = ninep_get_u32(req);
	const char *target = ninep_get_str(req);
	const char *path = ninep_get_str(req), *name;
	AUTO_CLOSE int dir = -1;
	int r;

	(void)reply;
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((dir = ninep_path_parent(n->root, path, &name)) == -1)
		return -errno;
	act_as(uid, gid);
	r = result(symlinkat(target, dir, name));
	act_as(0, 0);
	return r;
}

static int
do_link(struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
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
	return result(
	    linkat(n->proc, name_of(fd).s, dir, name, AT_SYMLINK_FOLLOW));
}

static int
do_rename(struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
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
	return result(renameat(from_dir, from_name, to_dir, to_name));
}

static int
do_remove(struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
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
	return result(
	    unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0));
}

/* ---- looking ------------------------------------------------------------- */

static int
do_lstat(struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	AUTO_CLOSE int fd = -1;
	struct stat st;

	if (!ninep_get_end(req))
		return -EINVAL;
	if ((fd = ninep_path_open(n->root, path)) == -1 || fstat(fd, &st) == -1)
		return -errno;
	ninep_put_u64(reply, n->dev);
	ninep_put_u64(reply, ninep_inode(&n->inodes, st.st_dev, st.st_ino));
	ninep_put_u64(reply, st.st_nlink);
	ninep_put_u32(reply, st.st_mode);
	ninep_put_u32(reply, st.st_uid);
	ninep_put_u32(reply, st.st_gid);
	ninep_put_u64(reply, st.st_rdev);
	ninep_put_u64(reply, (uint64_t)st.st_size);
	ninep_put_u64(reply, (uint64_t)st.st_blksize);
	ninep_put_u64(reply, (uint64_t)st.st_blocks);
	ninep_put_u64(reply, (uint64_t)st.st_atim.tv_sec);
	ninep_put_u64(reply, (uint64_t)st.st_atim.tv_nsec);
	ninep_put_u64(reply, (uint64_t)st.st_mtim.tv_sec);
	ninep_put_u64(reply, (uint64_t)st.st_mtim.tv_nsec);
	ninep_put_u64(reply, (uint64_t)st.st_ctim.tv_sec);
	ninep_put_u64(reply, (uint64_t)st.st_ctim.tv_nsec);
	return 0;
}

static int
do_readlink(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	uint32_t size = ninep_get_u32(req);
	AUTO_CLOSE int fd = -1;
	char target[PATH_MAX];
	ssize_t len;

	if (!ninep_get_end(req))
		return -EINVAL;
	if ((fd = ninep_path_open(n->root, path)) == -1 ||
	    (len = readlinkat(fd, "", target, sizeof target)) == -1)
		return -errno;
	/* QEMU's buffer needs a zero byte, too */
	if ((size_t)len == sizeof target || (size_t)len >= size)
		return -ENAMETOOLONG;
	ninep_put_bytes(reply, target, (size_t)len);
	return 0;
}

static int
do_statfs(struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	AUTO_CLOSE int fd = -1;
	struct statfs st;
	uint64_t id;

	if (!ninep_get_end(req))
		return -EINVAL;
	if ((fd = ninep_path_open(n->root, path)) == -1 ||
	    fstatfs(fd, &st) == -1)
		return -errno;
	memcpy(&id, &st.f_fsid, sizeof id);
	ninep_put_u64(reply, (uint64_t)st.f_type);
	ninep_put_u64(reply, (uint64_t)st.f_bsize);
	ninep_put_u64(reply, st.f_blocks);
	ninep_put_u64(reply, st.f_bfree);
	ninep_put_u64(reply, st.f_bavail);
	ninep_put_u64(reply, st.f_files);
	ninep_put_u64(reply, st.f_ffree);
	/* QEMU takes the lower half of one and the upper half of the other */
	ninep_put_u64(reply, id);
	ninep_put_u64(reply, id);
	ninep_put_u64(reply, (uint64_t)st.f_namelen);
	ninep_put_u64(reply, (uint64_t)st.f_frsize);
	return 0;
}

/* The generation of an inode: few file systems have one, overlayfs none. */
static int
do_getversion(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	(void)n;
	(void)ninep_get_str(req);
	if (!ninep_get_end(req))
		return -EINVAL;
	ninep_put_u64(reply, 0);
	return 0;
}

/* ---- changing ------------------------------------------------------------ */

static int
do_chmod(struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	mode_t mode = ninep_get_u32(req) & MODE_BITS;
	AUTO_CLOSE int fd = -1;

	(void)reply;
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((fd = ninep_path_open(n->root, path)) == -1)
		return -errno;
	return result(fchmodat(n->proc, name_of(fd).s, mode, 0));
}

static int
do_chown(struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	uid_t uid = ninep_get_u32(req);
	gid_t gid = ninep_get_u32(req);
	AUTO_CLOSE int fd = -1;

	(void)reply;
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((fd = ninep_path_open(n->root, path)) == -1)
		return -errno;
	return result(fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
}

static int
do_truncate(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	uint64_t size = ninep_get_u64(req);
	AUTO_CLOSE int fd = -1;
	int r;

	(void)reply;
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((r = open_path(n, path, O_WRONLY)) < 0)
		return r;
	fd = r;
	return result(ftruncate(fd, (off_t)size));
}

/*
 * QEMU 7.2 sends the nanoseconds of the modification time in both places, and
 * for a time that is not to be changed seconds that it never set: which of the
 * two an access time is cannot be known. So it becomes now with a modification
 * time of now, or where it is all there is, and else it stays.
 */
static void
replace_atime(struct timespec ts[2])
{
	const long nsec = ts[1].tv_nsec;

	ts[0].tv_sec = 0;
	ts[0].tv_nsec =
	    nsec == UTIME_NOW || nsec == UTIME_OMIT ? UTIME_NOW : UTIME_OMIT;
}

static int
do_utime(struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	struct timespec ts[2];
	AUTO_CLOSE int fd = -1;

	(void)reply;
	for (int i = 0; i < 2; i++) {
		ts[i].tv_sec = (time_t)ninep_get_u64(req);
		ts[i].tv_nsec = (long)ninep_get_u64(req);
	}
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((fd = ninep_path_open(n->root, path)) == -1)
		return -errno;
	replace_atime(ts);
	return result(utimensat(n->proc, name_of(fd).s, ts, 0));
}

/* ---- extended attributes ------------------------------------------------- */

/* name NULL: the list of names. */
static int
get_xattr(struct ninep *n, const char *path, const char *name, uint32_t size,
    struct ninep_reply *reply)
{
	static char value[NINEP_STRING_MAX];
	AUTO_CLOSE int fd = ninep_path_open(n->root, path);
	struct fd_name f;
	ssize_t len;

	if (fd == -1)
		return -errno;
	f = name_of(fd);
	if (size > sizeof value)
		size = sizeof value;
	len = name != NULL ? getxattr(f.s, name, value, size)
			   : listxattr(f.s, value, size);
	if (len == -1)
		return -errno;
	if (size == 0)
		ninep_put_u32(reply, (uint32_t)len);
	else
		ninep_put_bytes(reply, value, (size_t)len);
	return 0;
}

static int
do_getxattr(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	uint32_t size = ninep_get_u32(req);
	const char *path = ninep_get_str(req), *name = ninep_get_str(req);

	if (!ninep_get_end(req))
		return -EINVAL;
	return get_xattr(n, path, name, size, reply);
}

static int
do_listxattr(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	uint32_t size = ninep_get_u32(req);
	const char *path = ninep_get_str(req);

	if (!ninep_get_end(req))
		return -EINVAL;
	return get_xattr(n, path, NULL, size, reply);
}

static int
do_setxattr(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req), *name = ninep_get_str(req);
	size_t len;
	const void *value = ninep_get_bytes(req, &len);
	uint32_t size = ninep_get_u32(req), flags = ninep_get_u32(req);
	AUTO_CLOSE int fd = -1;

	(void)reply;
	if (!ninep_get_end(req) || size != len)
		return -EINVAL;
	if ((fd = ninep_path_open(n->root, path)) == -1)
		return -errno;
	return result(setxattr(name_of(fd).s, name, value, size, (int)flags));
}

static int
do_removexattr(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req), *name = ninep_get_str(req);
	AUTO_CLOSE int fd = -1;

	(void)reply;
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((fd = ninep_path_open(n->root, path)) == -1)
		return -errno;
	return result(removexattr(name_of(fd).s, name));
}

/* ---- all of them --------------------------------------------------------- */

static const struct {
	int (*run)(
	    struct ninep *, struct ninep_request *, struct ninep_reply *);
	enum ninep_answer how;
} operations[] = {
    [NINEP_OPEN] = {do_open, NINEP_ANSWER_FD},
    [NINEP_CREATE] = {do_create, NINEP_ANSWER_FD},
    [NINEP_MKNOD] = {do_mknod, NINEP_ANSWER_STATUS},
    [NINEP_MKDIR] = {do_mkdir, NINEP_ANSWER_STATUS},
    [NINEP_SYMLINK] = {do_symlink, NINEP_ANSWER_STATUS},
    [NINEP_LINK] = {do_link, NINEP_ANSWER_STATUS},
    [NINEP_LSTAT] = {do_lstat, NINEP_ANSWER_DATA},
    [NINEP_READLINK] = {do_readlink, NINEP_ANSWER_DATA},
    [NINEP_STATFS] = {do_statfs, NINEP_ANSWER_DATA},
    [NINEP_CHMOD] = {do_chmod, NINEP_ANSWER_STATUS},
    [NINEP_CHOWN] = {do_chown, NINEP_ANSWER_STATUS},
    [NINEP_TRUNCATE] = {do_truncate, NINEP_ANSWER_STATUS},
    [NINEP_UTIME] = {do_utime, NINEP_ANSWER_STATUS},
    [NINEP_RENAME] = {do_rename, NINEP_ANSWER_STATUS},
    [NINEP_REMOVE] = {do_remove, NINEP_ANSWER_STATUS},
    [NINEP_LGETXATTR] = {do_getxattr, NINEP_ANSWER_DATA},
    [NINEP_LLISTXATTR] = {do_listxattr, NINEP_ANSWER_DATA},
    [NINEP_LSETXATTR] = {do_setxattr, NINEP_ANSWER_STATUS},
    [NINEP_LREMOVEXATTR] = {do_removexattr, NINEP_ANSWER_STATUS},
    [NINEP_GETVERSION] = {do_getversion, NINEP_ANSWER_DATA},
};

int
ninep_do(struct ninep *n, uint32_t type, struct ninep_request *req,
    struct ninep_reply *reply, enum ninep_answer *how)
{
	*how = NINEP_ANSWER_STATUS;
	if (type >= sizeof operations / sizeof operations[0] ||
	    operations[type].run == NULL)
		return -EOPNOTSUPP;
	*how = operations[type].how;
	return operations[type].run(n, req, reply);
}
