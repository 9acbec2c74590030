/* SPDX-License-Identifier: Apache-2.0
 * A disk that is the container's root: filled from the image once.
 *
 * An extended attribute of the disk's top directory says how far the copy is:
 *
 *	none		the disk is empty: copy. Or it is not: its owner has
 *			filled it, and so it stays
 *	"copying"	set, and on the disk, before the first file; found by
 *			a later boot: the copy was interrupted. Do it again
 *	"complete"	set when all of the copy is on the disk
 *
 * It is in the namespace "trusted", which only CAP_SYS_ADMIN sees.
 */
#include "guest-agent/rootdisk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define MARK "trusted.runq.root"
#define LOST_FOUND "lost+found" /* made by mke2fs(8) */

enum state {
	UNMARKED,
	COPYING,
	COMPLETE
};

static int
get_state(int dir, enum state *state, struct err *err)
{
	char value[16];
	ssize_t n = fgetxattr(dir, MARK, value, sizeof(value) - 1);

	if (n == -1 && errno != ENODATA && errno != ENOTSUP)
		return err_sys(err, "read " MARK);
	value[n > 0 ? n : 0] = '\0';
	*state = UNMARKED;
	if (n > 0)
		*state = strcmp(value, "complete") == 0 ? COMPLETE : COPYING;
	return 0;
}

/* On the disk, with all that was written before, when it returns. */
static int
set_state(int dir, const char *value, struct err *err)
{
	if (syncfs(dir) == -1 ||
	    fsetxattr(dir, MARK, value, strlen(value), 0) == -1 ||
	    fsync(dir) == -1 || syncfs(dir) == -1)
		return err_sys(err, "write " MARK);
	return 0;
}

static int
is_empty(const char *path, bool *empty, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = opendir(path);
	struct dirent *e;

	if (dir == NULL)
		return err_sys(err, "read the directory");
	*empty = true;
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 &&
		    strcmp(e->d_name, LOST_FOUND) != 0)
			*empty = false;
	return 0;
}

int
rootdisk_fill(const char *path, const char *image, bool readonly,
    const char *const *exclude, size_t n_exclude,
    const struct copytree_progress *progress, struct err *err)
{
	AUTO_CLOSE int dst = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int src = open(image, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum state state = UNMARKED;
	bool empty = false;

	if (dst == -1 || src == -1)
		return err_sys(err, "open");
	if (get_state(dst, &state, err) == -1 ||
	    is_empty(path, &empty, err) == -1)
		return -1;
	if (state == COMPLETE || (state == UNMARKED && !empty))
		return 0;
	if (readonly)
		return err_set(err,
		    "is read-only and holds no complete copy of the image");
	if (set_state(dst, "copying", err) == -1 ||
	    copytree_clear(dst, LOST_FOUND, err) == -1 ||
	    copytree(src, dst, exclude, n_exclude, progress, err) == -1)
		return -1;
	return set_state(dst, "complete", err);
}
