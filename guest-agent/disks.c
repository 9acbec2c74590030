/* SPDX-License-Identifier: Apache-2.0
 * The disks of the container.
 *
 * The agent mounts them itself, and the container gets copies of the mounts:
 * so a file system that does not mount stops the start with a sentence, and at
 * the end, when the container's mounts are gone with its processes, the last
 * mount is the agent's, which it makes read-only (everything is written, the
 * file system marked clean) and takes away before it reports EXIT.
 */
#include "guest-agent/disks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guest-agent/disks_find.h"
#include "guest-agent/mnt.h"
#include "guest-agent/modules.h"
#include "guest-agent/root_path.h"
#include "guest-agent/rootdisk.h"
#include "lib/cleanup.h"
#include "lib/paths.h"

#define BY_ID "by-runq-id"

void
disks_dir(char *buf, size_t n)
{
	snprintf(buf, DISKS_DIR_SIZE, PATH_DISKS "/%zu", n);
}

static size_t
index_of(const struct container_spec *c, const struct disk_spec *d)
{
	return (size_t)(d - c->disks);
}

static bool
wants_mount(const struct disk_spec *d)
{
	return d->root || d->mountpoint != NULL;
}

/* ---- the agent's mounts -------------------------------------------------- */

/* The kernel's number says little of a superblock. */
static int
explain(const struct disk_spec *d, struct err *err)
{
	int e = errno;

	if (e == EINVAL || e == EUCLEAN || e == EIO)
		return err_set(err,
		    "cannot be mounted as %s: it does not hold a file system "
		    "of that type, or a damaged one (%s)",
		    d->fstype, strerror(e));
	return err_set(
	    err, "cannot be mounted as %s: %s", d->fstype, strerror(e));
}

static int
mount_one(const struct container_spec *c, struct disk_spec *d, struct err *err)
{
	unsigned long flags = d->root ? 0 : MS_NOSUID | MS_NODEV;
	char dir[DISKS_DIR_SIZE], dev[DISK_NAME_SIZE + 8];

	if (d->readonly)
		flags |= MS_RDONLY;
	disks_dir(dir, index_of(c, d));
	snprintf(dev, sizeof(dev), "/dev/%s", d->name);
	if ((mkdir(PATH_DISKS, 0700) == -1 && errno != EEXIST) ||
	    (mkdir(dir, 0700) == -1 && errno != EEXIST))
		return err_sys(err, "make %s", dir);
	if (mount(dev, dir, d->fstype, flags, NULL) == -1)
		return explain(d, err);
	d->mounted = true;
	return 0;
}

static int
fill_root(const struct container_spec *c,
    const struct copytree_progress *progress, struct err *err)
{
	char dir[DISKS_DIR_SIZE];

	disks_dir(dir, index_of(c, c->root_disk));
	return rootdisk_fill(dir, PATH_SHARE "/" SHARE_ROOTFS,
	    c->root_disk->readonly, c->root_exclude, c->n_root_exclude,
	    progress, err);
}

int
disks_attach(struct container_spec *c, const struct copytree_progress *progress,
    struct err *err)
{
	if (c->n_disks == 0)
		return 0;
	if (modules_load("blk", err) == -1 || disks_find(c, err) == -1)
		return -1;
	for (size_t i = 0; i < c->n_disks; i++) {
		struct disk_spec *d = &c->disks[i];

		if (wants_mount(d) && mount_one(c, d, err) == -1)
			return err_prefix(err, "disk %s", d->id);
	}
	if (c->root_disk != NULL && fill_root(c, progress, err) == -1)
		return err_prefix(err, "root disk %s", c->root_disk->id);
	return 0;
}

/* Busy: something still writes; then what it wrote so far is all there is. */
void
disks_release(struct container_spec *c)
{
	char dir[DISKS_DIR_SIZE];

	for (size_t i = c->n_disks; i-- > 0;) {
		struct disk_spec *d = &c->disks[i];

		if (!d->mounted)
			continue;
		disks_dir(dir, i);
		if (!d->readonly)
			(void)mount(
			    NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL);
		(void)umount2(dir, MNT_DETACH);
		d->mounted = false;
	}
	sync();
}

/* ---- in the container ---------------------------------------------------- */

static int
mount_at(const struct container_spec *c, const struct disk_spec *d, int root,
    struct err *err)
{
	AUTO_CLOSE int mnt = -1, target = -1;
	char dir[DISKS_DIR_SIZE];

	disks_dir(dir, index_of(c, d));
	if ((mnt = mnt_clone(AT_FDCWD, dir, false, err)) == -1)
		return -1;
	target = root_path_open(root, d->mountpoint, ROOT_PATH_DIRECTORY, err);
	return target == -1 ? -1 : mnt_attach(mnt, target, err);
}

int
disks_mount(const struct container_spec *c, int root, struct err *err)
{
	for (size_t i = 0; i < c->n_disks; i++) {
		const struct disk_spec *d = &c->disks[i];

		if (d->mountpoint != NULL && mount_at(c, d, root, err) == -1)
			return err_prefix(
			    err, "disk %s at \"%.256s\"", d->id, d->mountpoint);
	}
	return 0;
}

static int
make_node(int dev, const char *name, dev_t number, struct err *err)
{
	if (mknodat(dev, name, S_IFBLK | 0600, number) == -1 && errno != EEXIST)
		return err_sys(err, "make /dev/%s", name);
	return 0;
}

/* The agent's devtmpfs has it and its partitions: vda, vda1, ... */
static int
make_nodes(const struct disk_spec *d, int dev, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = opendir("/dev");
	size_t len = strlen(d->name);
	struct dirent *e;
	struct stat st;

	if (dir == NULL)
		return err_sys(err, "open /dev");
	while ((e = readdir(dir)) != NULL) {
		const char *rest = e->d_name + len;

		if (strncmp(e->d_name, d->name, len) != 0 ||
		    strspn(rest, "0123456789") != strlen(rest) ||
		    fstatat(dirfd(dir), e->d_name, &st, 0) == -1 ||
		    !S_ISBLK(st.st_mode))
			continue;
		if (make_node(dev, e->d_name, st.st_rdev, err) == -1)
			return -1;
	}
	return 0;
}

static int
make_link(const struct disk_spec *d, int dir, struct err *err)
{
	char target[DISK_NAME_SIZE + 8];

	snprintf(target, sizeof(target), "../../%s", d->name);
	if (symlinkat(target, dir, d->id) == -1 && errno != EEXIST)
		return err_sys(err, "make /dev/disk/" BY_ID "/%s", d->id);
	return 0;
}

int
disks_make_nodes(const struct container_spec *c, int root, struct err *err)
{
	AUTO_CLOSE int dev = -1, dir = -1;

	if (c->n_disks == 0)
		return 0;
	dev = root_path_open(root, "/dev", ROOT_PATH_DIRECTORY, err);
	if (dev == -1)
		return err_prefix(err, "/dev");
	dir =
	    root_path_open(root, "/dev/disk/" BY_ID, ROOT_PATH_DIRECTORY, err);
	if (dir == -1)
		return err_prefix(err, "/dev/disk/" BY_ID);
	for (size_t i = 0; i < c->n_disks; i++)
		if (make_nodes(&c->disks[i], dev, err) == -1 ||
		    make_link(&c->disks[i], dir, err) == -1)
			return -1;
	return 0;
}
