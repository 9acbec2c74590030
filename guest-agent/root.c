/* SPDX-License-Identifier: Apache-2.0
 * The container's root file system.
 *
 * The agent lives in the initramfs, which pivot_root(2) cannot replace. So the
 * container's tree is built on a directory of it; then all other mounts of this
 * namespace are taken away, the tree is moved over "/" and becomes the root of
 * the process (chroot(2)). Whoever leaves that root upwards, by "chroot .." or
 * by setns(2), comes out at "/", where the tree covers the initramfs. Only who
 * may unmount (CAP_SYS_ADMIN) can uncover it, and then finds the agent's files
 * and no share.
 */
#include "guest-agent/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-agent/ap.h"
#include "guest-agent/devices.h"
#include "guest-agent/disks.h"
#include "guest-agent/mnt.h"
#include "guest-agent/mounts.h"
#include "guest-agent/resolv.h"
#include "guest-agent/root_path.h"
#include "lib/cleanup.h"
#include "lib/paths.h"

#define NEW_ROOT "/newroot"
#define ENV_FILE ".runqenv"
#define MOUNTS_MAX 65536

/* Returns an O_PATH descriptor of the root. */
static int
attach_root(const struct container_spec *c, struct err *err)
{
	AUTO_CLOSE int tree = -1, target = -1;
	char disk[DISKS_DIR_SIZE];
	const char *source = PATH_SHARE "/" SHARE_ROOTFS;

	if (c->root_disk != NULL) {
		disks_dir(disk, (size_t)(c->root_disk - c->disks));
		source = disk;
	}
	if ((tree = mnt_clone(AT_FDCWD, source, true, err)) == -1)
		return -1;
	target = open(NEW_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target == -1)
		return err_sys(err, "open " NEW_ROOT);
	if (mnt_attach(tree, target, err) == -1)
		return err_prefix(err, "%s", source);
	return take_fd(&tree);
}

static int
attach_resolv(int root, int resolv, struct err *err)
{
	AUTO_CLOSE int target = -1;

	if (resolv == -1)
		return 0;
	target = root_path_open(root, "/etc/resolv.conf", ROOT_PATH_FILE, err);
	if (target == -1 || mnt_attach(resolv, target, err) == -1)
		return err_prefix(err, "dns: /etc/resolv.conf");
	return 0;
}

/* The image may have a link there; a read-only root has no file. */
static int
write_env_file(const struct container_spec *c, int root, struct err *err)
{
	AUTO_FCLOSE FILE *f = NULL;
	int fd;

	if (!c->runqenv)
		return 0;
	if (unlinkat(root, ENV_FILE, 0) == -1 && errno != ENOENT)
		return errno == EROFS ? 0 : err_sys(err, "/" ENV_FILE);
	fd = openat(root, ENV_FILE,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return errno == EROFS ? 0 : err_sys(err, "/" ENV_FILE);
	if ((f = fdopen(fd, "we")) == NULL) {
		close(fd);
		return err_sys(err, "/" ENV_FILE);
	}
	for (size_t i = 0; i < c->process.n_env; i++)
		fprintf(f, "%s\n", c->process.env[i]);
	if (fflush(f) != 0)
		return err_sys(err, "write /" ENV_FILE);
	return 0;
}

/* As runc: a working directory that the image lacks is made. */
static int
make_cwd(const struct container_spec *c, int root, struct err *err)
{
	AUTO_CLOSE int fd =
	    root_path_open(root, c->process.cwd, ROOT_PATH_DIRECTORY, err);

	/* what else may be wrong with it, chdir(2) will tell */
	if (fd == -1 && errno != EROFS && errno != ENOTDIR && errno != EACCES)
		return err_prefix(
		    err, "process.cwd \"%.256s\"", c->process.cwd);
	return 0;
}

static int
fill(const struct container_spec *c, int root, int resolv, struct err *err)
{
	if (mounts_make(c, root, err) == -1)
		return -1;
	/* whoever brings a /dev along has made it as he wants it */
	if (!mounts_has_share_at(c, "/dev") &&
	    (devices_make(root, err) == -1 ||
		disks_make_nodes(c, root, err) == -1 ||
		ap_make(c, root, err) == -1))
		return -1;
	if (disks_mount(c, root, err) == -1 ||
	    attach_resolv(root, resolv, err) == -1 ||
	    write_env_file(c, root, err) == -1 || make_cwd(c, root, err) == -1)
		return -1;
	return 0;
}

/* Undoes the octal escapes of /proc/self/mountinfo (proc(5)) in place. */
static void
unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		unsigned c;

		if (s[0] == '\\' && sscanf(s + 1, "%3o", &c) == 1) {
			*to++ = (char)c;
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static bool
is_agents(const char *path)
{
	size_t len = strlen(NEW_ROOT);

	if (strcmp(path, "/") == 0)
		return false;
	return strncmp(path, NEW_ROOT, len) != 0 ||
	    (path[len] != '\0' && path[len] != '/');
}

/* The mount points of this namespace that are not the container's. */
static int
list_mounts(int proc, char ***out, size_t *n, struct err *err)
{
	AUTO_CLOSE int fd =
	    openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	AUTO_FCLOSE FILE *f = fd == -1 ? NULL : fdopen(fd, "re");
	AUTO_FREE char *line = NULL;
	size_t cap = 0;

	if (f == NULL)
		return err_sys(err, "open mountinfo");
	(void)take_fd(&fd); /* f owns it now */
	while (getline(&line, &cap, f) != -1) {
		char *rest = line, *path = NULL;

		for (int i = 0; i < 5; i++)
			path = strsep(&rest, " ");
		if (path == NULL)
			return err_set(err, "mountinfo: not as in proc(5)");
		unescape(path);
		if (!is_agents(path) || *n >= MOUNTS_MAX)
			continue;
		*out = reallocarray(*out, *n + 1, sizeof(**out));
		if (*out == NULL || ((*out)[*n] = strdup(path)) == NULL)
			return err_sys(err, "mountinfo");
		(*n)++;
	}
	return 0;
}

/* This memory is gone with exec(2). */
static int
unmount_others(int proc, struct err *err)
{
	char **paths = NULL;
	size_t n = 0;

	if (list_mounts(proc, &paths, &n, err) == -1)
		return -1;
	while (n-- > 0)
		/* children went with their parents: EINVAL, ENOENT */
		if (umount2(paths[n], MNT_DETACH | UMOUNT_NOFOLLOW) == -1 &&
		    errno != EINVAL && errno != ENOENT)
			return err_sys(err, "unmount %.256s", paths[n]);
	return 0;
}

static int
move_to_root(int root, struct err *err)
{
	if (fchdir(root) == -1 || mount(".", "/", NULL, MS_MOVE, NULL) == -1 ||
	    chroot(".") == -1 || chdir("/") == -1)
		return err_sys(err, "move the root");
	return 0;
}

int
root_enter(const struct container_spec *c, int proc, struct err *err)
{
	AUTO_CLOSE int root = -1, resolv = -1;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return err_sys(err, "make mounts private");
	if (mkdir(NEW_ROOT, 0700) == -1 && errno != EEXIST)
		return err_sys(err, "make " NEW_ROOT);
	if (resolv_wanted(&c->dns) &&
	    (resolv = resolv_create(&c->dns, NEW_ROOT, err)) == -1)
		return err_prefix(err, "dns");
	if ((root = attach_root(c, err)) == -1 ||
	    fill(c, root, resolv, err) == -1 || unmount_others(proc, err) == -1)
		return -1;
	return move_to_root(root, err);
}

int
root_seal(const struct container_spec *c, struct err *err)
{
	AUTO_CLOSE int root = -1;

	for (size_t i = 0; i < c->n_readonly; i++)
		if (mounts_readonly_path(c->readonly[i], err) == -1)
			return -1;
	for (size_t i = 0; i < c->n_masked; i++)
		if (mounts_mask_path(c->masked[i], err) == -1)
			return -1;
	if (!c->root_readonly && !(c->root_disk && c->root_disk->readonly))
		return 0;
	if ((root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return err_sys(err, "open /");
	if (mnt_set(root, MOUNT_ATTR_RDONLY, 0, 0, false, err) == -1)
		return err_prefix(err, "read-only root");
	return 0;
}
