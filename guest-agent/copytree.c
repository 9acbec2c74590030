/* SPDX-License-Identifier: Apache-2.0
 * Copies trees of files.
 *
 * Source and destination are walked by descriptors, no symbolic link is ever
 * followed. A directory gets its attributes when all is in it, so that its
 * times and a mode without "w" stay.
 */
#include "guest-agent/copytree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "guest-agent/copyfile.h"
#include "lib/cleanup.h"

struct link {
	dev_t dev;
	ino_t ino;
	char *path; /* of the first name in the copy, relative */
};

struct copy {
	int dst; /* the top of the copy */
	dev_t dev;
	const char *const *exclude;
	size_t n_exclude;
	const struct copytree_progress *progress;
	time_t told;	     /* when progress was called last */
	void *links;	     /* tsearch(3) of struct link */
	char path[PATH_MAX]; /* where we are, relative to the top */
	struct err *err;
};

static int copy_dir(struct copy *c, int src, int dst);

static int
compare_links(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static void
free_link(void *p)
{
	free(((struct link *)p)->path);
	free(p);
}

static int
fail(struct copy *c)
{
	return err_sys(c->err, "copy /%.512s", c->path);
}

static bool
is_excluded(const struct copy *c)
{
	for (size_t i = 0; i < c->n_exclude; i++) {
		const char *e = c->exclude[i] + strspn(c->exclude[i], "/");
		size_t n = strlen(c->path);

		if (strncmp(e, c->path, n) == 0 &&
		    e[n + strspn(e + n, "/")] == '\0')
			return true;
	}
	return false;
}

static void
tell(struct copy *c)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (c->progress == NULL || now.tv_sec == c->told)
		return;
	c->told = now.tv_sec;
	c->progress->cb(c->progress->arg);
}

/* ---- hard links ----------------------------------------------------- */

/* 1: it is one more name of a file that was copied. */
static int
link_known(struct copy *c, const struct stat *st, int dst, const char *name)
{
	struct link key = {st->st_dev, st->st_ino, NULL};
	struct link *const *found;

	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return 0;
	if ((found = tfind(&key, &c->links, compare_links)) == NULL)
		return 0;
	return linkat(c->dst, (*found)->path, dst, name, 0) == -1 ? fail(c) : 1;
}

static int
link_remember(struct copy *c, const struct stat *st)
{
	struct link *l;

	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return 0;
	if ((l = malloc(sizeof(*l))) == NULL)
		return fail(c);
	*l = (struct link){st->st_dev, st->st_ino, strdup(c->path)};
	if (l->path == NULL || tsearch(l, &c->links, compare_links) == NULL) {
		free_link(l);
		return fail(c);
	}
	return 0;
}

/* ---- one entry ------------------------------------------------------ */

static int
copy_directory(
    struct copy *c, const struct stat *st, int src, int dst, const char *name)
{
	AUTO_CLOSE int from = -1, to = -1;

	/* lost+found, and what was there before a mount point */
	if (mkdirat(dst, name, 0700) == -1 && errno != EEXIST)
		return fail(c);
	from =
	    openat(src, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	to = openat(dst, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from == -1 || to == -1)
		return fail(c);
	if (st->st_dev == c->dev && copy_dir(c, from, to) == -1)
		return -1;
	return copy_attributes(from, to, st) == -1 ? fail(c) : 0;
}

static int
copy_regular(
    struct copy *c, const struct stat *st, int src, int dst, const char *name)
{
	AUTO_CLOSE int from =
	    openat(src, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	AUTO_CLOSE int to = openat(dst, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (from == -1 || to == -1 || copy_data(from, to, st) == -1 ||
	    copy_attributes(from, to, st) == -1)
		return fail(c);
	return 0;
}

static int
copy_entry(struct copy *c, int src, int dst, const char *name)
{
	struct stat st;
	int r;

	if (fstatat(src, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return fail(c);
	if ((r = link_known(c, &st, dst, name)) != 0)
		return r == -1 ? -1 : 0;
	if (S_ISDIR(st.st_mode))
		return copy_directory(c, &st, src, dst, name);
	if (S_ISREG(st.st_mode))
		r = copy_regular(c, &st, src, dst, name);
	else if (copy_special(src, dst, name, &st) == -1)
		r = fail(c);
	return r == -1 ? -1 : link_remember(c, &st);
}

static int
copy_dir(struct copy *c, int src, int dst)
{
	AUTO_CLOSEDIR DIR *dir = NULL;
	size_t len = strlen(c->path);
	struct dirent *e;
	/* with an offset of its own */
	int fd = openat(src, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 || (dir = fdopendir(fd)) == NULL)
		return fail(c);
	for (errno = 0; (e = readdir(dir)) != NULL; errno = 0) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (len + strlen(e->d_name) + 2 > sizeof(c->path)) {
			errno = ENAMETOOLONG;
			return fail(c);
		}
		snprintf(c->path + len, sizeof(c->path) - len, "%s%s",
		    len > 0 ? "/" : "", e->d_name);
		if (!is_excluded(c) && copy_entry(c, src, dst, e->d_name) == -1)
			return -1;
		tell(c);
		c->path[len] = '\0';
	}
	return errno != 0 ? fail(c) : 0;
}

int
copytree(int src, int dst, const char *const *exclude, size_t n,
    const struct copytree_progress *progress, struct err *err)
{
	struct copy c = {.dst = dst,
	    .exclude = exclude,
	    .n_exclude = n,
	    .progress = progress,
	    .err = err};
	struct stat st;
	int r = -1;

	if (fstat(src, &st) == -1)
		return fail(&c);
	c.dev = st.st_dev;
	r = copy_dir(&c, src, dst);
	if (r == 0 && copy_attributes(src, dst, &st) == -1)
		r = fail(&c);
	tdestroy(c.links, free_link);
	return r;
}

/* ---- removing ------------------------------------------------------- */

static int
remove_entry(int dir, const char *name, struct err *err)
{
	AUTO_CLOSE int fd = -1;

	if (unlinkat(dir, name, 0) == 0)
		return 0;
	if (errno != EISDIR)
		return err_sys(err, "remove %.256s", name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return err_sys(err, "remove %.256s", name);
	if (copytree_clear(fd, NULL, err) == -1)
		return -1;
	if (unlinkat(dir, name, AT_REMOVEDIR) == -1)
		return err_sys(err, "remove %.256s", name);
	return 0;
}

int
copytree_clear(int dirfd, const char *keep, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = NULL;
	struct dirent *e;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 || (dir = fdopendir(fd)) == NULL)
		return err_sys(err, "read directory");
	while ((e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 ||
		    (keep != NULL && strcmp(e->d_name, keep) == 0))
			continue;
		if (remove_entry(dirfd, e->d_name, err) == -1)
			return -1;
	}
	return 0;
}
