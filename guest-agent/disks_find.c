/* SPDX-License-Identifier: Apache-2.0
 * Which block device of the guest is which disk: told by the serial number
 * that the supervisor gave it (lib/paths.h), whatever order the bus has. A
 * device that comes later announces itself by a uevent (netlink(7),
 * NETLINK_KOBJECT_UEVENT). */
#include "guest-agent/disks_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/paths.h"

#define DEADLINE 10000 /* ms */
#define GROUP_KERNEL 1 /* uevents as the kernel sends them */

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
open_uevents(struct err *err)
{
	struct sockaddr_nl sa = {
	    .nl_family = AF_NETLINK, .nl_groups = GROUP_KERNEL};
	AUTO_CLOSE int fd = socket(AF_NETLINK,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd == -1 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1)
		return err_sys(err, "uevents");
	return take_fd(&fd);
}

/* /sys/block/vdX/serial: the index of the disk, or -1. */
static long
disk_index(const char *name)
{
	char path[300], serial[32] = "", *end;
	AUTO_CLOSE int fd = -1;
	ssize_t n;
	long i;

	snprintf(path, sizeof(path), "/sys/block/%s/serial", name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    (n = read(fd, serial, sizeof(serial) - 1)) == -1)
		return -1;
	serial[strcspn(serial, "\n")] = '\0';
	if (strncmp(serial, DISK_SERIAL_PREFIX, strlen(DISK_SERIAL_PREFIX)) !=
	    0)
		return -1;
	i = strtol(serial + strlen(DISK_SERIAL_PREFIX), &end, 10);
	return *end == '\0' && i >= 0 ? i : -1;
}

/* Names what is there; the first that is not, or NULL. */
static const struct disk_spec *
look(struct container_spec *c)
{
	AUTO_CLOSEDIR DIR *dir = opendir("/sys/block");
	struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		long i = strncmp(e->d_name, "vd", 2) == 0
		    ? disk_index(e->d_name)
		    : -1;

		if (i >= 0 && (size_t)i < c->n_disks &&
		    strlen(e->d_name) < DISK_NAME_SIZE)
			strcpy(c->disks[i].name, e->d_name);
	}
	for (size_t i = 0; i < c->n_disks; i++)
		if (c->disks[i].name[0] == '\0')
			return &c->disks[i];
	return NULL;
}

/* PCI tells of a device when it is asked; other buses tell by themselves. */
static void
rescan(void)
{
	AUTO_CLOSE int fd = open("/sys/bus/pci/rescan", O_WRONLY | O_CLOEXEC);

	if (fd != -1)
		(void)!write(fd, "1", 1);
}

int
disks_find(struct container_spec *c, struct err *err)
{
	AUTO_CLOSE int events = open_uevents(err);
	int64_t deadline = now_ms() + DEADLINE, left;
	const struct disk_spec *missing;
	char event[4096];

	if (events == -1)
		return -1;
	if ((missing = look(c)) == NULL)
		return 0;
	rescan();
	while ((missing = look(c)) != NULL) {
		struct pollfd p = {.fd = events, .events = POLLIN};

		if ((left = deadline - now_ms()) <= 0)
			return err_set(
			    err, "disk %s: did not appear", missing->id);
		if (poll(&p, 1, (int)left) == 1)
			while (recv(events, event, sizeof(event), 0) > 0)
				;
	}
	return 0;
}
