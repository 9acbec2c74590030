/* SPDX-License-Identifier: Apache-2.0
 * The content of a directory, copied into a tmpfs. */
#include "guest-agent/copy_up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define DEPTH_MAX 64 /* each level holds three descriptors */

static int copy_directory(int from, int to, unsigned depth, struct err *err);

static int
copy_file(int from, int to, const char *name, struct err *err)
{
	AUTO_CLOSE int in =
	    openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int out =
	    openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n;

	if (in == -1 || out == -1)
		return err_sys(err, "copy %.256s", name);
	while ((n = sendfile(out, in, NULL, 1 << 20)) > 0)
		;
	return n == -1 ? err_sys(err, "copy %.256s", name) : 0;
}

static int
copy_link(int from, int to, const char *name, struct err *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n == -1)
		return err_sys(err, "copy link %.256s", name);
	target[n] = '\0';
	if (symlinkat(target, to, name) == -1)
		return err_sys(err, "copy link %.256s", name);
	return 0;
}

static int
copy_subdirectory(
    int from, int to, const char *name, unsigned depth, struct err *err)
{
	AUTO_CLOSE int in = -1, out = -1;

	if (mkdirat(to, name, 0700) == -1)
		return err_sys(err, "make %.256s", name);
	in =
	    openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in == -1 || out == -1)
		return err_sys(err, "open %.256s", name);
	return copy_directory(in, out, depth + 1, err);
}

/* The owner first: chown(2) takes set-id bits away. */
static int
copy_meta(int to, const char *name, const struct stat *st, struct err *err)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) ==
		-1 ||
	    (!S_ISLNK(st->st_mode) &&
		fchmodat(to, name, st->st_mode & 07777, 0) == -1) ||
	    utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) == -1)
		return err_sys(err, "attributes of %.256s", name);
	return 0;
}

static int
copy_entry(int from, int to, const char *name, unsigned depth, struct err *err)
{
	struct stat st;
	int r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return err_sys(err, "stat %.256s", name);
	if (S_ISDIR(st.st_mode))
		r = copy_subdirectory(from, to, name, depth, err);
	else if (S_ISREG(st.st_mode))
		r = copy_file(from, to, name, err);
	else if (S_ISLNK(st.st_mode))
		r = copy_link(from, to, name, err);
	else if (mknodat(to, name, st.st_mode & S_IFMT, st.st_rdev) == -1)
		r = err_sys(err, "copy %.256s", name);
	else
		r = 0;
	return r == -1 ? -1 : copy_meta(to, name, &st, err);
}

static int
copy_directory(int from, int to, unsigned depth, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = NULL;
	AUTO_CLOSE int fd =
	    openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;

	if (depth > DEPTH_MAX)
		return err_set(err, "more than %d directories deep", DEPTH_MAX);
	if (fd == -1 || (dir = fdopendir(fd)) == NULL)
		return err_sys(err, "open directory");
	(void)take_fd(&fd); /* dir owns it now */
	while (errno = 0, (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (copy_entry(dirfd(dir), to, e->d_name, depth, err) == -1)
			return -1;
	}
	return errno != 0 ? err_sys(err, "read directory") : 0;
}

int
copy_up(int from, int to, struct err *err)
{
	struct stat st;

	if (fstat(from, &st) == -1)
		return err_sys(err, "stat");
	if (copy_directory(from, to, 0, err) == -1 ||
	    copy_meta(to, ".", &st, err) == -1)
		return err_prefix(err, "copy up");
	return 0;
}
