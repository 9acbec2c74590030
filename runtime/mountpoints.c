/* SPDX-License-Identifier: Apache-2.0
 * Mount points in the image's root file system.
 *
 * The image is hostile: any component may be a symbolic link to anywhere.
 * Each path is walked component by component, links are read and resolved
 * here as if rootfs were the root directory, and each step goes through
 * openat2(2) with RESOLVE_IN_ROOT, so that the kernel holds it inside even
 * when the tree changes under the walk. */
#include "runtime/mountpoints.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "runtime/disks.h"
#include "runtime/in_root.h"
#include "runtime/mounts.h"
#include "runtime/path.h"
#include "runtime/strlist.h"
#include "runtime/xalloc.h"

#define LINKS_MAX 40 /* as path_resolution(7) */

struct walk {
	int root;
	const struct strlist *mounted; /* resolved destinations so far */
	char *at;   /* resolved: absolute in rootfs, clean, without links */
	char *rest; /* still to be walked */
	unsigned links;
	bool file;   /* the last component is to be a file */
	mode_t mode; /* of the last component */
};

static bool
is_mounted(const struct walk *w)
{
	for (size_t i = 0; i < w->mounted->n; i++)
		if (path_is_below(w->at, w->mounted->v[i]))
			return true;
	return false;
}

/* Takes the next component off rest; NULL: none is left. */
static char *
next_component(struct walk *w)
{
	char *p = w->rest + strspn(w->rest, "/"), *c;
	size_t n = strcspn(p, "/");

	if (n == 0)
		return NULL;
	c = xstrndup(p, n);
	p += n;
	memmove(w->rest, p, strlen(p) + 1);
	return c;
}

static bool
is_last(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

/* Makes name, which is missing in the directory at. */
static int
make(struct walk *w, const char *name, struct err *err)
{
	bool file = w->file && is_last(w);
	AUTO_CLOSE int dir = -1, fd = -1;

	dir = in_root_open(w->root, w->at, O_PATH | O_DIRECTORY);
	if (dir == -1)
		return err_sys(err, "mount point %.256s", w->at);
	if (file) {
		fd = openat(dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0755);
		if (fd != -1 || errno == EEXIST)
			return 0;
	} else if (mkdirat(dir, name, is_last(w) ? w->mode : 0755) == 0 ||
	    errno == EEXIST) {
		return 0;
	}
	return err_sys(err, "mount point %.256s/%.256s",
	    strcmp(w->at, "/") == 0 ? "" : w->at, name);
}

static int
follow(struct walk *w, int link, struct err *err)
{
	char target[PATH_LEN_MAX];
	char *rest;
	ssize_t n = readlinkat(link, "", target, sizeof(target) - 1);

	if (n == -1)
		return err_sys(err, "mount point below %.256s", w->at);
	if (++w->links > LINKS_MAX)
		return err_set(err,
		    "mount point below %.256s: too many symbolic links in "
		    "the image",
		    w->at);
	target[n] = '\0';
	rest = xasprintf("%s/%s", target, w->rest);
	free(w->rest);
	w->rest = rest;
	if (target[0] == '/') {
		free(w->at);
		w->at = xstrdup("/");
	}
	return 0;
}

static void
enter(struct walk *w, const char *name)
{
	AUTO_FREE char *joined = xasprintf("%s/%s", w->at, name);

	free(w->at);
	w->at = path_clean(joined);
}

/* One component. 1: go on, 0: the rest is not ours to make, -1. */
static int
step(struct walk *w, const char *name, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/%s", w->at, name);
	AUTO_CLOSE int fd = -1;
	struct stat st;

	if (strcmp(name, ".") == 0)
		return 1;
	if (strcmp(name, "..") == 0) {
		enter(w, name);
		return 1;
	}
	fd = in_root_open(w->root, path, O_PATH | O_NOFOLLOW);
	if (fd == -1 && errno == ENOENT) {
		if (make(w, name, err) == -1)
			return -1;
		fd = in_root_open(w->root, path, O_PATH | O_NOFOLLOW);
	}
	if (fd == -1 || fstat(fd, &st) == -1)
		return err_sys(err, "mount point %.256s", path);
	if (S_ISLNK(st.st_mode))
		return follow(w, fd, err) == -1 ? -1 : 1;
	enter(w, name);
	/* a file where a directory should be: mounting will say so */
	return S_ISDIR(st.st_mode) && !is_mounted(w);
}

/* Walks path; *resolved is where it ends, when all of it could be walked. */
static int
make_path(int root, const struct strlist *mounted, const char *path, bool file,
    mode_t mode, char **resolved, struct err *err)
{
	struct walk w = {
	    root, mounted, xstrdup("/"), xstrdup(path), 0, file, mode};
	int r = 1;

	while (r == 1) {
		AUTO_FREE char *name = next_component(&w);

		if (name == NULL)
			break;
		r = step(&w, name, err);
	}
	*resolved = NULL;
	if (r != -1 && is_last(&w)) {
		*resolved = w.at;
		w.at = NULL;
	}
	free(w.at);
	free(w.rest);
	return r == -1 ? -1 : 0;
}

/* A tmpfs in the guest gets the mode of what it covers, and one that covers
 * nothing is open to all, as tmpfs is by itself (tmpfs(5)). */
static mode_t
mode_for(const struct mount *m)
{
	return m->kind == MOUNT_GUEST && strcmp(m->type, "tmpfs") == 0 ? 01777
								       : 0755;
}

/* disks may be NULL. */
static int
make_for_disks(int root, const struct disks *disks, struct strlist *mounted,
    struct err *err)
{
	for (size_t i = 0; disks != NULL && i < disks->n; i++) {
		const char *path = disks->v[i].mountpoint;
		char *resolved;

		if (path == NULL)
			continue;
		if (make_path(
			root, mounted, path, false, 0755, &resolved, err) == -1)
			return -1;
		if (resolved != NULL)
			strlist_take(mounted, resolved);
	}
	return 0;
}

static int
make_all(int root, const struct mounts *mounts, const struct disks *disks,
    const char *cwd, struct strlist *mounted, struct err *err)
{
	char *resolved;

	for (size_t i = 0; i < mounts->n; i++) {
		const struct mount *m = &mounts->v[i];

		if (make_path(root, mounted, m->destination,
			m->kind == MOUNT_BIND && m->file, mode_for(m),
			&resolved, err) == -1)
			return -1;
		if (resolved != NULL)
			strlist_take(mounted, resolved);
	}
	if (make_for_disks(root, disks, mounted, err) == -1)
		return -1;
	if (make_path(root, mounted, MOUNTS_MODULES, false, 0755, &resolved,
		err) == -1)
		return -1;
	if (resolved != NULL)
		strlist_take(mounted, resolved);
	if (make_path(root, mounted, cwd, false, 0755, &resolved, err) == -1)
		return err_prefix(err, "process.cwd");
	free(resolved);
	return 0;
}

int
mountpoints_make(const char *rootfs, const struct mounts *mounts,
    const struct disks *disks, const char *cwd, struct err *err)
{
	AUTO_CLOSE int root = -1;
	struct strlist mounted = {0};
	mode_t mask;
	int r;

	root = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		return err_sys(err, "root.path %.512s", rootfs);
	mask = umask(0);
	r = make_all(root, mounts, disks, cwd, &mounted, err);
	umask(mask);
	strlist_free(&mounted);
	return r;
}
