/* SPDX-License-Identifier: Apache-2.0
 * ninepd: what looks at files and changes their attributes. */
#include "supervisor/ninepd_do.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "supervisor/ninepd_path.h"

#define MODE_BITS 07777

/* ---- looking ------------------------------------------------------------- */

int
ninep_do_lstat(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	AUTO_CLOSE int fd = -1;
	struct stat st;

	if ((fd = ninep_end_at(n, req, path)) < 0)
		return fd;
	if (fstat(fd, &st) == -1)
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

int
ninep_do_readlink(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	uint32_t size = ninep_get_u32(req);
	AUTO_CLOSE int fd = -1;
	char target[PATH_MAX];
	ssize_t len;

	if ((fd = ninep_end_at(n, req, path)) < 0)
		return fd;
	if ((len = readlinkat(fd, "", target, sizeof target)) == -1)
		return -errno;
	/* QEMU's buffer needs a zero byte, too */
	if ((size_t)len == sizeof target || (size_t)len >= size)
		return -ENAMETOOLONG;
	ninep_put_bytes(reply, target, (size_t)len);
	return 0;
}

int
ninep_do_statfs(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	AUTO_CLOSE int fd = -1;
	struct statfs st;
	uint64_t id;

	if ((fd = ninep_end_at(n, req, path)) < 0)
		return fd;
	if (fstatfs(fd, &st) == -1)
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
int
ninep_do_getversion(
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

int
ninep_do_chmod(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	mode_t mode = ninep_get_u32(req) & MODE_BITS;
	AUTO_CLOSE int fd = -1;

	(void)reply;
	if ((fd = ninep_end_at(n, req, path)) < 0)
		return fd;
	return ninep_result(fchmodat(n->proc, ninep_fd_name(fd).s, mode, 0));
}

int
ninep_do_chown(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	uid_t uid = ninep_get_u32(req);
	gid_t gid = ninep_get_u32(req);
	AUTO_CLOSE int fd = -1;

	(void)reply;
	if ((fd = ninep_end_at(n, req, path)) < 0)
		return fd;
	return ninep_result(fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
}

int
ninep_do_truncate(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	uint64_t size = ninep_get_u64(req);
	AUTO_CLOSE int fd = -1;
	int r;

	(void)reply;
	if (!ninep_get_end(req))
		return -EINVAL;
	if ((r = ninep_open_path(n, path, O_WRONLY)) < 0)
		return r;
	fd = r;
	return ninep_result(ftruncate(fd, (off_t)size));
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

int
ninep_do_utime(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req);
	struct timespec ts[2];
	AUTO_CLOSE int fd = -1;

	(void)reply;
	for (int i = 0; i < 2; i++) {
		ts[i].tv_sec = (time_t)ninep_get_u64(req);
		ts[i].tv_nsec = (long)ninep_get_u64(req);
	}
	if ((fd = ninep_end_at(n, req, path)) < 0)
		return fd;
	replace_atime(ts);
	return ninep_result(utimensat(n->proc, ninep_fd_name(fd).s, ts, 0));
}
