/* SPDX-License-Identifier: Apache-2.0
 * Says and does over vsock what a test needs; static, for any image.
 *	vsock dial CID PORT	connects, sends garbage: prints "connected" and
 *				what came, "closed" at the end of file, or
 *				why there is no connection
 *	vsock hold CID		takes a CID of the host until stdin ends
 *	vsock vmci		acts as VMware's hypervisor: from then on its
 *				transport has the host's side of vsock */
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/vm_sockets.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int
dial(uint32_t cid, uint32_t port)
{
	struct sockaddr_vm sa = {
	    .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port};
	struct timeval limit = {.tv_sec = 20};
	int s = socket(AF_VSOCK, SOCK_STREAM, 0);
	char data[256];
	ssize_t n;

	if (s == -1 || connect(s, (struct sockaddr *)&sa, sizeof sa) == -1) {
		printf("no connection: %s\n", strerror(errno));
		return 1;
	}
	puts("connected");
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (send(s, "RUNQ garbage\n", 13, MSG_NOSIGNAL) == -1)
		printf("send: %s\n", strerror(errno));
	while ((n = recv(s, data, sizeof data, 0)) > 0)
		printf("received %zd bytes\n", n);
	puts(n == 0 || errno == ECONNRESET ? "closed" : strerror(errno));
	return 0;
}

static int
hold(uint64_t cid)
{
	int fd = open("/dev/vhost-vsock", O_RDWR);
	char c;

	if (fd == -1 || ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, &cid) == -1) {
		printf("not taken: %s\n", strerror(errno));
		return 1;
	}
	puts("taken");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) == 1)
		;
	return 0;
}

/* Linux, linux/vmw_vmci_defs.h and drivers/misc/vmw_vmci/vmci_host.c: the
 * version is told first, a pointer each */
#define VMCI_INIT_CONTEXT _IO(7, 0xa0)
#define VMCI_VERSION2 _IO(7, 0xa7)

static int
vmci(void)
{
	uint32_t version = 10 << 16;
	uint32_t init[2] = {1000 /* CID */, 0 /* flags */};
	int fd = open("/dev/vmci", O_RDWR);

	if (fd == -1 || ioctl(fd, VMCI_VERSION2, &version) == -1 ||
	    ioctl(fd, VMCI_INIT_CONTEXT, init) == -1) {
		printf("/dev/vmci: %s\n", strerror(errno));
		return 1;
	}
	puts("taken");
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "dial") == 0)
		return dial((uint32_t)strtoul(argv[2], NULL, 10),
		    (uint32_t)strtoul(argv[3], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "hold") == 0)
		return hold(strtoull(argv[2], NULL, 10));
	if (argc == 2 && strcmp(argv[1], "vmci") == 0)
		return vmci();
	fputs("usage: vsock dial CID PORT | hold CID | vmci\n", stderr);
	return 2;
}
