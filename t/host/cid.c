/* SPDX-License-Identifier: Apache-2.0
 * CIDs that are taken: the carrier's choice with a random number generator
 * that says what the test wants. TAP; needs a usable /dev/vhost-vsock. */
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/vm_sockets.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "supervisor/carrier.h"
#include "t/tap.h"

/* Bit 16 is set in each CID, so that small ones do not come up. */
#define CID(n) (0x10000u | (n))

static uint32_t answers[128];
static unsigned n_asked;

/* In the place of the C library's: see --wrap in ld(1). */
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned flags);

ssize_t
__wrap_getrandom(void *buf, size_t len, unsigned flags)
{
	(void)flags;
	memcpy(buf, &answers[n_asked++ % 128], len);
	return (ssize_t)len;
}

static void
next_answers(uint32_t first, uint32_t second, uint32_t others)
{
	n_asked = 0;
	answers[0] = first;
	answers[1] = second;
	for (int i = 2; i < 128; i++)
		answers[i] = others;
}

static int
take(uint64_t cid)
{
	int fd = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC);

	if (fd != -1 && ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, &cid) == 0)
		return fd;
	printf("# CID %u cannot be taken\n", (unsigned)cid);
	return -1;
}

/* A port that somebody listens at: binding it is refused. */
static int
listen_at(uint32_t port)
{
	struct sockaddr_vm sa = {.svm_family = AF_VSOCK,
	    .svm_cid = VMADDR_CID_ANY,
	    .svm_port = port};
	int s = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (s == -1 || bind(s, (struct sockaddr *)&sa, sizeof sa) == -1 ||
	    listen(s, 1) == -1)
		return -1;
	return s;
}

/* What was logged since the last call; the log is this pipe. */
static int log_pipe[2];

static const char *
logged(void)
{
	static char text[4096];
	ssize_t n = read(log_pipe[0], text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
test_taken(void)
{
	struct err err = {""};
	struct carrier *a, *b;
	int one = take(CID(1)), two = take(CID(2));

	next_answers(1, 2, 3);
	a = carrier_new(CARRIER_VSOCK, &err);
	ok(a != NULL && carrier_kind(a) == CARRIER_VSOCK, "a carrier by vsock");
	is_int(carrier_cid(a), CID(3), "two CIDs are taken: the third is had");
	is_int(n_asked, 3, "after three tries");
	next_answers(3, 3, 4);
	b = carrier_new(CARRIER_VSOCK, &err);
	is_int(carrier_cid(b), CID(4), "a carrier's CID is taken, too");
	ok(take(CID(4)) == -1, "nobody else gets it");
	carrier_free(b);
	b = carrier_new(CARRIER_VSOCK, &err);
	is_int(carrier_cid(b), CID(4), "it is free when the carrier is gone");
	carrier_free(b);
	carrier_free(a);
	close(one);
	close(two);
}

static void
test_none_free(void)
{
	struct err err = {""};
	struct carrier *c;
	int one = take(CID(1));

	next_answers(1, 1, 1);
	c = carrier_new(CARRIER_VSOCK, &err);
	ok(c != NULL && carrier_kind(c) == CARRIER_SERIAL,
	    "no CID is free: a serial port");
	ok(n_asked > 1 && n_asked < 1000, "after a bounded number of tries");
	is_str(logged(),
	    "cid: warning: /dev/vhost-vsock: no free CID in 64 tries: the "
	    "channel to the VM is a virtio-serial port\n",
	    "with one line that says so");
	carrier_free(c);
	close(one);
}

static void
test_port_taken(void)
{
	struct err err = {""};
	struct carrier *c;
	int s = listen_at(CID(5)), fd;

	ok(s != -1, "somebody listens at the port");
	next_answers(5, 5, 5);
	c = carrier_new(CARRIER_VSOCK, &err);
	ok(c != NULL, "the port of a CID is taken: still a carrier");
	ok(c != NULL && carrier_kind(c) == CARRIER_SERIAL, "a serial port");
	is_str(logged(),
	    "cid: warning: vsock port 65541: Address already in use: the "
	    "channel to the VM is a virtio-serial port\n",
	    "with one line that says so");
	ok((fd = take(CID(5))) != -1, "the CID was given back");
	close(fd);
	carrier_free(c);
	close(s);
}

static void
test_range(void)
{
	static const uint32_t wanted[] = {
	    0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff};
	struct err err = {""};

	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		struct carrier *c;
		uint32_t cid;

		next_answers(wanted[i], wanted[i] + 7, 9);
		c = carrier_new(CARRIER_VSOCK, &err);
		cid = carrier_cid(c);
		ok(cid > 2 && cid < 0x80000000, "random %#x gives CID %#x",
		    wanted[i], cid);
		carrier_free(c);
	}
}

int
main(void)
{
	if (access("/dev/vhost-vsock", R_OK | W_OK) == -1) {
		puts("1..0 # SKIP no usable /dev/vhost-vsock");
		return 0;
	}
	if (pipe2(log_pipe, O_NONBLOCK | O_CLOEXEC) == -1)
		return 1;
	log_init("cid", log_pipe[1], LOG_LEVEL_WARN);
	test_taken();
	is_str(logged(), "", "without a word");
	test_none_free();
	test_port_taken();
	test_range();
	return done_testing();
}
