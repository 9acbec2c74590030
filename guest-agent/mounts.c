/* SPDX-License-Identifier: Apache-2.0
 * The mounts of the container. */
#include "guest-agent/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guest-agent/copy_up.h"
#include "guest-agent/mnt.h"
#include "guest-agent/root_path.h"
#include "lib/cleanup.h"
#include "lib/paths.h"

/* The kernel's names; cgroup is cgroup v2, which is what the guest has. */
static const char *const kernel_names[] = {
    [MOUNT_PROC] = "proc",
    [MOUNT_SYSFS] = "sysfs",
    [MOUNT_TMPFS] = "tmpfs",
    [MOUNT_DEVPTS] = "devpts",
    [MOUNT_MQUEUE] = "mqueue",
    [MOUNT_CGROUP] = "cgroup2",
};

/*
 * The part of the share as a mount of its own. open_tree(2) goes through the
 * automount point that a submount of virtiofs is, and so mounts it.
 */
static int
clone_share(const struct mount_spec *m, bool *directory, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), PATH_SHARE "/%s", m->source);
	fd = mnt_clone(
	    AT_FDCWD, path, m->options.rbind || !m->options.bind, err);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		return err_sys(err, "stat %s", path);
	*directory = S_ISDIR(st.st_mode);
	if (mnt_set(fd, m->options.top.set, m->options.top.clear, 0, false,
		err) == -1)
		return -1;
	return take_fd(&fd);
}

/* A tmpfs is dressed before it becomes read-only. */
static int
create(const struct mount_spec *m, struct err *err)
{
	uint64_t attrs = m->options.top.set;

	if (m->type == MOUNT_TMPFS)
		attrs &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	return mnt_create(kernel_names[m->type], m->source, m->options.data,
	    m->options.n_data, attrs, err);
}

/* A tmpfs looks like the directory that it covers, unless it has a mode=. */
static int
dress_tmpfs(const struct mount_spec *m, int mnt, int target, bool existed,
    struct err *err)
{
	struct stat st;

	if (fstat(target, &st) == -1)
		return err_sys(err, "stat");
	if (existed && !m->options.mode &&
	    fchmodat(mnt, ".", st.st_mode & 07777, 0) == -1)
		return err_sys(err, "mode");
	if (existed && m->options.copy_up && copy_up(target, mnt, err) == -1)
		return -1;
	return mnt_set(
	    mnt, m->options.top.set & MOUNT_ATTR_RDONLY, 0, 0, false, err);
}

static int
attach(const struct mount_spec *m, int mnt, int target, struct err *err)
{
	if (mnt_set(mnt, m->options.tree.set, m->options.tree.clear, 0, true,
		err) == -1 ||
	    mnt_attach(mnt, target, err) == -1 ||
	    mnt_set(mnt, 0, 0, m->options.propagation,
		m->options.propagate_tree, err) == -1)
		return -1;
	return 0;
}

/* The kernel would only say EINVAL. */
static int
check_kinds(int target, bool directory, struct err *err)
{
	struct stat st;

	if (fstat(target, &st) == -1)
		return err_sys(err, "stat");
	if (S_ISDIR(st.st_mode) == directory)
		return 0;
	return err_set(err,
	    directory ? "not a directory: a directory cannot be mounted on it"
		      : "is a directory: a file cannot be mounted on it");
}

static int
make_one(const struct mount_spec *m, int root, struct err *err)
{
	AUTO_CLOSE int mnt = -1, target = -1;
	bool directory = true, existed = true;

	if (m->type == MOUNT_SHARE)
		mnt = clone_share(m, &directory, err);
	else
		mnt = create(m, err);
	if (mnt == -1)
		return -1;
	target =
	    root_path_open(root, m->destination, ROOT_PATH_MUST_EXIST, err);
	if (target == -1) {
		existed = false;
		target = root_path_open(root, m->destination,
		    directory ? ROOT_PATH_DIRECTORY : ROOT_PATH_FILE, err);
	}
	if (target == -1)
		/* a convenience of the VM must not stop a read-only image */
		return errno == EROFS && strcmp(m->source, SHARE_MODULES) == 0
		    ? 0
		    : -1;
	if (check_kinds(target, directory, err) == -1)
		return -1;
	if (m->type == MOUNT_TMPFS &&
	    dress_tmpfs(m, mnt, target, existed, err) == -1)
		return -1;
	return attach(m, mnt, target, err);
}

int
mounts_make(const struct container_spec *c, int root, struct err *err)
{
	for (size_t i = 0; i < c->n_mounts; i++)
		if (make_one(&c->mounts[i], root, err) == -1)
			return err_prefix(err, "mount at \"%.256s\"",
			    c->mounts[i].destination);
	return 0;
}

bool
mounts_has_share_at(const struct container_spec *c, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < c->n_mounts; i++) {
		const char *d = c->mounts[i].destination;

		if (c->mounts[i].type == MOUNT_SHARE &&
		    strncmp(d, path, len) == 0 &&
		    d[len + strspn(d + len, "/")] == '\0')
			return true;
	}
	return false;
}

/* An O_PATH descriptor; *absent when there is nothing to protect. */
static int
open_if_there(const char *path, bool *absent, struct err *err)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	*absent = fd == -1 && errno == ENOENT;
	return fd == -1 ? err_sys(err, "open %s", path) : fd;
}

int
mounts_readonly_path(const char *path, struct err *err)
{
	AUTO_CLOSE int target = -1, mnt = -1;
	bool absent;

	if ((target = open_if_there(path, &absent, err)) == -1)
		return absent ? 0 : -1;
	if ((mnt = mnt_clone(target, "", true, err)) == -1 ||
	    mnt_set(mnt, MOUNT_ATTR_RDONLY, 0, 0, false, err) == -1 ||
	    mnt_attach(mnt, target, err) == -1)
		return err_prefix(err, "read-only path \"%.256s\"", path);
	return 0;
}

/* The image has a say in what /dev/null is: take no other. */
static int
clone_null(struct err *err)
{
	AUTO_CLOSE int fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return err_sys(err, "open /dev/null");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_set(err, "/dev/null is not the null device");
	return mnt_clone(fd, "", false, err);
}

int
mounts_mask_path(const char *path, struct err *err)
{
	AUTO_CLOSE int target = -1, mnt = -1;
	struct stat st;
	bool absent;

	if ((target = open_if_there(path, &absent, err)) == -1)
		return absent ? 0 : -1;
	if (fstat(target, &st) == -1)
		return err_sys(err, "stat %s", path);
	if (S_ISDIR(st.st_mode))
		mnt = mnt_create(
		    "tmpfs", "tmpfs", NULL, 0, MOUNT_ATTR_RDONLY, err);
	else
		mnt = clone_null(err);
	if (mnt == -1 || mnt_attach(mnt, target, err) == -1)
		return err_prefix(err, "masked path \"%.256s\"", path);
	return 0;
}
