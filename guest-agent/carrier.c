/* SPDX-License-Identifier: Apache-2.0
 * The agent's end of the carrier: a vsock connection or a virtio-serial port.
 */
#include "guest-agent/carrier.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest-agent/modules.h"
#include "lib/cleanup.h"
#include "lib/paths.h"

#define PORT_DEADLINE 10000 /* ms until the host names the port */

/* virtio 1.2, section 5, device types */
#define VIRTIO_CONSOLE 3
#define VIRTIO_VSOCK 19

#define SYS_VIRTIO "/sys/bus/virtio/devices"
#define SYS_PORTS "/sys/class/virtio-ports"

static int
read_line(const char *path, char *buf, size_t size)
{
	AUTO_FCLOSE FILE *f = fopen(path, "re");

	if (f == NULL || fgets(buf, (int)size, f) == NULL)
		return -1;
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

static bool
have_device(unsigned long type)
{
	AUTO_CLOSEDIR DIR *d = opendir(SYS_VIRTIO);
	char path[300], id[32];
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, SYS_VIRTIO "/%s/device", e->d_name);
		if (read_line(path, id, sizeof id) == 0 &&
		    strtoul(id, NULL, 16) == type)
			return true;
	}
	return false;
}

/* ---- virtio-serial ------------------------------------------------------- */

/* The port's fd, or -1: not named yet. */
static int
port_find(void)
{
	AUTO_CLOSEDIR DIR *d = opendir(SYS_PORTS);
	char path[300], name[64];
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, SYS_PORTS "/%s/name", e->d_name);
		if (read_line(path, name, sizeof name) == -1 ||
		    strcmp(name, CHANNEL_PORT_NAME) != 0)
			continue;
		snprintf(path, sizeof path, "/dev/%s", e->d_name);
		return open(path, O_RDWR | O_CLOEXEC);
	}
	return -1;
}

/* The host names the port in a message of its own: a uevent tells when. */
static int
port_open(struct err *err)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = 1};
	AUTO_CLOSE int nl = -1;
	struct pollfd p;
	char msg[8192];
	int fd;

	nl = socket(
	    AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (nl == -1 || bind(nl, (struct sockaddr *)&sa, sizeof sa) == -1)
		return err_sys(err, "uevents");
	p = (struct pollfd){.fd = nl, .events = POLLIN};
	while ((fd = port_find()) == -1) {
		if (poll(&p, 1, PORT_DEADLINE) != 1)
			return err_set(
			    err, "no virtio-serial port " CHANNEL_PORT_NAME);
		if (recv(nl, msg, sizeof msg, 0) == -1 && errno != ENOBUFS)
			return err_sys(err, "uevents");
	}
	return fd;
}

/* ---- vsock --------------------------------------------------------------- */

static int
vsock_open(struct err *err)
{
	struct sockaddr_vm sa = {
	    .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST};
	AUTO_CLOSE int dev = -1, fd = -1;
	unsigned cid;

	if ((dev = open("/dev/vsock", O_RDONLY | O_CLOEXEC)) == -1 ||
	    ioctl(dev, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid) == -1)
		return err_sys(err, "/dev/vsock");
	/* our CID is ours alone on the host, and so is the port */
	sa.svm_port = cid;
	fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sa, sizeof sa) == -1)
		return err_sys(err, "vsock: dial the host at port %u", cid);
	return take_fd(&fd);
}

static int
device_open(struct err *err)
{
	if (have_device(VIRTIO_VSOCK))
		return modules_load("vsock", err) == -1 ? -1 : vsock_open(err);
	if (have_device(VIRTIO_CONSOLE))
		return modules_load("console", err) == -1 ? -1 : port_open(err);
	return err_set(err, "the VM has neither vsock nor virtio-serial");
}

int
carrier_open(const void *first, size_t len, struct err *err)
{
	AUTO_CLOSE int fd = device_open(err);

	if (fd == -1)
		return -1;
	if (write(fd, first, len) != (ssize_t)len)
		return err_sys(err, "carrier: first frame");
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		return err_sys(err, "carrier");
	return take_fd(&fd);
}
