/* SPDX-License-Identifier: Apache-2.0
 * The disks on the host: opened once, so that what was looked at is what the
 * VM gets, and handed over as descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <linux/fs.h>

#include "lib/cleanup.h"
#include "runtime/disks.h"
#include "runtime/xalloc.h"

/* Of the numbers that the supervisor inherits. */
#define OUT_OF_THE_WAY (VM_DISK_FD + VM_DISKS_MAX)

static enum disk_kind
kind_of(mode_t mode)
{
	if (S_ISREG(mode))
		return DISK_FILE;
	if (S_ISBLK(mode))
		return DISK_BLOCK;
	return S_ISDIR(mode) ? DISK_DIR : DISK_OTHER;
}

/* The node that the kernel made in devtmpfs; sysfs, dev/block/N:M/uevent. A
 * bundle has only the numbers of a device. */
static char *
device_path(unsigned major, unsigned minor)
{
	AUTO_FREE char *uevent =
	    xasprintf("/sys/dev/block/%u:%u/uevent", major, minor);
	AUTO_FCLOSE FILE *f = fopen(uevent, "re");
	char line[256];
	struct stat st;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char *path;

		if (strncmp(line, "DEVNAME=", 8) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		path = xasprintf("/dev/%s", line + 8);
		if (stat(path, &st) == 0 && S_ISBLK(st.st_mode) &&
		    st.st_rdev == makedev(major, minor))
			return path;
		free(path);
	}
	return NULL;
}

static uint64_t
size_of(int fd, const struct stat *st)
{
	uint64_t size = 0;

	if (!S_ISBLK(st->st_mode))
		return (uint64_t)st->st_size;
	return ioctl(fd, BLKGETSIZE64, &size) == 0 ? size : 0;
}

static void
look_inside(struct disk *d)
{
	AUTO_FREE uint8_t *bytes = xcalloc(1, DISK_CONTENT_BYTES);
	size_t len = 0;
	ssize_t n;

	while (len < DISK_CONTENT_BYTES) {
		n = pread(
		    d->fd, bytes + len, DISK_CONTENT_BYTES - len, (off_t)len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	disk_content_probe(&d->content, bytes, len);
}

/* QEMU will set it as well; better to know before. */
static void
try_direct(struct disk *d)
{
	int flags = fcntl(d->fd, F_GETFL);

	if (d->cache != VM_DISK_NONE)
		return;
	d->no_direct = fcntl(d->fd, F_SETFL, flags | O_DIRECT) == -1;
}

/* A device that is mounted here, or in another VM, cannot be claimed; two
 * writers would destroy what it holds. */
static int
flags_for(const struct disk *d)
{
	int flags = O_CLOEXEC | (d->readonly ? O_RDONLY : O_RDWR);

	return d->kind == DISK_BLOCK && !d->readonly ? flags | O_EXCL : flags;
}

/* In two steps: nothing but files and block devices is opened for real. */
static void
open_one(struct disk *d)
{
	AUTO_CLOSE int path = -1, fd = -1;
	char self[40];
	struct stat st;

	if (d->source == NULL &&
	    (d->source = device_path(d->major, d->minor)) == NULL) {
		d->error = ENODEV;
		return;
	}
	path = open(d->source, O_PATH | O_CLOEXEC);
	if (path == -1 || fstat(path, &st) == -1) {
		d->error = errno;
		return;
	}
	d->kind = kind_of(st.st_mode);
	if (d->kind != DISK_FILE && d->kind != DISK_BLOCK)
		return;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", path);
	if ((fd = open(self, flags_for(d))) == -1 ||
	    (d->fd = fcntl(fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY)) == -1) {
		d->error = errno;
		return;
	}
	d->size = size_of(d->fd, &st);
	look_inside(d);
	try_direct(d);
}

void
disks_open(struct disks *d)
{
	for (size_t i = 0; i < d->n; i++)
		open_one(&d->v[i]);
}

/* The delegate wants all numbers up to the last to be open. */
static int
fill_gap(int from, struct err *err)
{
	for (int fd = from; fd < VM_DISK_FD; fd++) {
		AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (null == -1)
			return err_sys(err, "open /dev/null");
		if (null == fd ? fcntl(take_fd(&null), F_SETFD, 0) == -1
			       : dup2(null, fd) == -1)
			return err_sys(err, "descriptor %d", fd);
	}
	return 0;
}

int
disks_place(struct disks *d, int last_fd, struct err *err)
{
	if (d->n == 0)
		return last_fd;
	if (fill_gap(last_fd + 1, err) == -1)
		return -1;
	for (size_t i = 0; i < d->n; i++)
		if (dup2(d->v[i].fd, VM_DISK_FD + (int)i) == -1)
			return err_sys(err, "%.400s", d->v[i].given);
	return VM_DISK_FD + (int)d->n - 1;
}
