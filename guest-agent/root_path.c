/* SPDX-License-Identifier: Apache-2.0
 * Paths inside a root directory that is not ours.
 *
 * openat2(2) with RESOLVE_IN_ROOT does the resolving. Where a component is
 * missing it cannot say which, so the path is walked here: each step is opened
 * in the root without following it; a link is replaced by its target, what is
 * missing is made. */
#include "guest-agent/root_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define LINKS_MAX 40 /* as the kernel: path_resolution(7) */

struct walk {
	int root;
	enum root_path_make make;
	char done[PATH_MAX]; /* no links, no "..", "" is the root */
	char rest[PATH_MAX]; /* still to be walked */
	unsigned links;
};

static int
open_in_root(int root, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (uint64_t)(O_PATH | O_CLOEXEC | flags),
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int
open_done(const struct walk *w, int flags)
{
	return open_in_root(w->root, w->done[0] != '\0' ? w->done : "/", flags);
}

/* Takes the first component off the rest; false at the end. */
static bool
next_component(struct walk *w, char *name)
{
	char *p = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(p, "/");

	if (len == 0)
		return false;
	memcpy(name, p, len);
	name[len] = '\0';
	memmove(w->rest, p + len, strlen(p + len) + 1);
	return true;
}

static bool
at_end(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

/* The component at the end of done is a link: walk to its target instead. */
static int
follow_link(struct walk *w, int link, size_t parent_len)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target) - 1);

	if (n == -1)
		return -1;
	target[n] = '\0';
	if (++w->links > LINKS_MAX) {
		errno = ELOOP;
		return -1;
	}
	memcpy(rest, w->rest, sizeof(rest));
	if ((size_t)snprintf(w->rest, sizeof(w->rest), "%s/%s", target, rest) >=
	    sizeof(w->rest)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	w->done[target[0] == '/' ? 0 : parent_len] = '\0';
	return 0;
}

static int
make_component(struct walk *w, const char *name, size_t parent_len)
{
	AUTO_CLOSE int parent = -1, fd = -1;
	char c = w->done[parent_len];

	w->done[parent_len] = '\0';
	parent = open_done(w, O_DIRECTORY);
	w->done[parent_len] = c;
	if (parent == -1)
		return -1;
	if (w->make == ROOT_PATH_FILE && at_end(w)) {
		fd = openat(parent, name,
		    O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0755);
		return fd == -1 ? -1 : 0;
	}
	return mkdirat(parent, name, 0755);
}

static void
go_up(struct walk *w)
{
	char *slash = strrchr(w->done, '/');

	if (slash != NULL)
		*slash = '\0';
}

static int
walk_component(struct walk *w, const char *name)
{
	AUTO_CLOSE int fd = -1;
	size_t parent_len = strlen(w->done);
	struct stat st;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		go_up(w);
		return 0;
	}
	if (parent_len + 1 + strlen(name) >= sizeof(w->done)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	w->done[parent_len] = '/';
	memcpy(w->done + parent_len + 1, name, strlen(name) + 1);
	fd = open_done(w, O_NOFOLLOW);
	if (fd == -1 && errno == ENOENT)
		return make_component(w, name, parent_len);
	if (fd == -1 || fstat(fd, &st) == -1)
		return -1;
	if (S_ISLNK(st.st_mode))
		return follow_link(w, fd, parent_len);
	return 0;
}

static int
walk_open(struct walk *w)
{
	char name[PATH_MAX];

	while (next_component(w, name))
		if (walk_component(w, name) == -1)
			return -1;
	return open_done(w, O_NOFOLLOW);
}

int
root_path_open(
    int root, const char *path, enum root_path_make make, struct err *err)
{
	struct walk w = {.root = root, .make = make};
	int fd = open_in_root(root, path, 0);

	if (fd != -1)
		return fd;
	if (errno != ENOENT || make == ROOT_PATH_MUST_EXIST)
		return err_sys(err, "open");
	if (strlen(path) >= sizeof(w.rest)) {
		errno = ENAMETOOLONG;
		return err_sys(err, "open");
	}
	memcpy(w.rest, path, strlen(path) + 1);
	if ((fd = walk_open(&w)) == -1)
		return err_sys(err, "make mount point");
	return fd;
}
