/* SPDX-License-Identifier: Apache-2.0
 * One file's data and attributes. */
#include "guest-agent/copyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define CHUNK (256 * 1024)

/* ---- data ----------------------------------------------------------- */

static int
write_all(int fd, const char *p, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t w = pwrite(fd, p, n, at);

		if (w == -1 && errno == EINTR)
			continue;
		if (w == -1)
			return -1;
		p += w;
		at += w;
		n -= (size_t)w;
	}
	return 0;
}

static int
copy_range(int from, int to, off_t at, off_t end, char *buf)
{
	while (at < end) {
		size_t want = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		ssize_t n = pread(from, buf, want, at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || write_all(to, buf, (size_t)n, at) == -1)
			return -1;
		if (n == 0)
			break;
		at += n;
	}
	return 0;
}

/* The data from *at on: [*at, *end). 0: none is left. */
static int
next_data(int fd, off_t *at, off_t *end, off_t size)
{
	off_t data = lseek(fd, *at, SEEK_DATA);

	if (data == -1 && errno == ENXIO)
		return 0;
	/* no holes here: all of it is data */
	if (data == -1 || (*end = lseek(fd, data, SEEK_HOLE)) == -1) {
		*end = size;
		return 1;
	}
	*at = data;
	return 1;
}

int
copy_data(int from, int to, const struct stat *st)
{
	AUTO_FREE char *buf = malloc(CHUNK);
	off_t at = 0, end = st->st_size;

	if (buf == NULL || ftruncate(to, st->st_size) == -1)
		return -1;
	if (st->st_blocks * 512 >= st->st_size)
		return copy_range(from, to, 0, end, buf);
	for (; at < st->st_size; at = end) {
		if (next_data(from, &at, &end, st->st_size) == 0)
			return 0;
		if (copy_range(from, to, at, end, buf) == -1)
			return -1;
	}
	return 0;
}

/* ---- extended attributes ---------------------------------------------- */

/* What src and dst of a copy are: descriptors, or paths of what cannot be
 * opened. */
struct place {
	int fd;
	const char *path; /* NULL: fd */
};

static ssize_t
list(const struct place *p, char *buf, size_t size)
{
	return p->path != NULL ? llistxattr(p->path, buf, size)
			       : flistxattr(p->fd, buf, size);
}

static ssize_t
get(const struct place *p, const char *name, void *buf, size_t size)
{
	return p->path != NULL ? lgetxattr(p->path, name, buf, size)
			       : fgetxattr(p->fd, name, buf, size);
}

static int
set(const struct place *p, const char *name, const void *buf, size_t size)
{
	return p->path != NULL ? lsetxattr(p->path, name, buf, size, 0)
			       : fsetxattr(p->fd, name, buf, size, 0);
}

static int
copy_xattrs(const struct place *from, const struct place *to)
{
	static char names[XATTR_LIST_MAX], value[XATTR_SIZE_MAX];
	ssize_t len = list(from, names, sizeof(names)), n;

	if (len == -1)
		return errno == ENOTSUP ? 0 : -1;
	for (const char *name = names; name < names + len;
	     name += strlen(name) + 1) {
		n = get(from, name, value, sizeof(value));
		if (n == -1 && errno == ENODATA)
			continue;
		if (n == -1 || set(to, name, value, (size_t)n) == -1)
			return -1;
	}
	return 0;
}

/* ---- attributes ------------------------------------------------------- */

/* chown(2) takes set-user-ID bits and capabilities away: it comes first. */
int
copy_attributes(int from, int to, const struct stat *st)
{
	const struct place src = {from, NULL}, dst = {to, NULL};
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (fchown(to, st->st_uid, st->st_gid) == -1 ||
	    copy_xattrs(&src, &dst) == -1 ||
	    fchmod(to, st->st_mode & 07777) == -1)
		return -1;
	return futimens(to, times);
}

static int
make_special(int src, int dst, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n;

	if (!S_ISLNK(st->st_mode)) {
		if (mknodat(dst, name, st->st_mode & (S_IFMT | 0600),
			st->st_rdev) == -1 ||
		    fchownat(dst, name, st->st_uid, st->st_gid,
			AT_SYMLINK_NOFOLLOW) == -1)
			return -1;
		return fchmodat(dst, name, st->st_mode & 07777, 0);
	}
	if ((n = readlinkat(src, name, target, sizeof(target) - 1)) == -1)
		return -1;
	target[n] = '\0';
	if (symlinkat(target, dst, name) == -1)
		return -1;
	return fchownat(dst, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW);
}

int
copy_special(int src, int dst, const char *name, const struct stat *st)
{
	char from[NAME_MAX + 32], to[NAME_MAX + 32];
	const struct place places[2] = {{-1, from}, {-1, to}};
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	snprintf(from, sizeof(from), "/proc/self/fd/%d/%s", src, name);
	snprintf(to, sizeof(to), "/proc/self/fd/%d/%s", dst, name);
	if (make_special(src, dst, name, st) == -1 ||
	    copy_xattrs(&places[0], &places[1]) == -1)
		return -1;
	return utimensat(dst, name, times, AT_SYMLINK_NOFOLLOW);
}
