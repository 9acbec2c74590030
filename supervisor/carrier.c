/* SPDX-License-Identifier: Apache-2.0
 * The carrier of the channel: vsock or a virtio-serial port. */
#include "supervisor/carrier.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/vm_sockets.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/cleanup.h"
#include "lib/log.h"

/* One read; also what one turn of the loop gives to one container's agent. */
#define CHUNK 65536
#define CID_TRIES 64

struct carrier {
	enum carrier_kind kind;
	uint32_t cid;
	int device_fd; /* QEMU's end */
	int listen_fd; /* vsock until the agent has dialled */
	int fd;	       /* ours */
	struct event *ev_accept, *ev_read, *ev_write;
	struct event_base *base;
	struct channel *ch;
	void (*lost)(void *, const char *);
	void *arg;
	bool over;
	bool kicking;
	uint8_t chunk[CHUNK];
};

/* ---- reservation --------------------------------------------------------- */

/* A CID nobody has: chosen at random, and ours once vhost accepts it. */
static int
take_cid(int vhost, uint32_t *cid, struct err *err)
{
	uint64_t wanted;
	uint32_t r;

	for (int i = 0; i < CID_TRIES; i++) {
		if (getrandom(&r, sizeof r, 0) != sizeof r)
			return err_sys(err, "getrandom");
		/* 0-2 are reserved, 2^31 and up left to other users */
		*cid = (r & 0x7fffffff) | 0x10000;
		wanted = *cid;
		if (ioctl(vhost, VHOST_VSOCK_SET_GUEST_CID, &wanted) == 0)
			return 0;
		if (errno != EADDRINUSE)
			return err_sys(err, "/dev/vhost-vsock: set CID");
	}
	return err_set(
	    err, "/dev/vhost-vsock: no free CID in %d tries", CID_TRIES);
}

static int
reserve_vsock(struct carrier *c, int device, struct err *err)
{
	struct sockaddr_vm sa = {
	    .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY};
	AUTO_CLOSE int vhost = device, l = -1;

	if (take_cid(vhost, &c->cid, err) == -1)
		return -1;
	sa.svm_port = c->cid;
	l = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l == -1 || bind(l, (struct sockaddr *)&sa, sizeof sa) == -1 ||
	    listen(l, 4) == -1)
		return err_sys(err, "vsock port %u", c->cid);
	c->kind = CARRIER_VSOCK;
	c->device_fd = take_fd(&vhost);
	c->listen_fd = take_fd(&l);
	return 0;
}

static int
reserve_serial(struct carrier *c, struct err *err)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return err_sys(err, "socketpair");
	c->kind = CARRIER_SERIAL;
	c->fd = sv[0];
	c->device_fd = sv[1];
	return fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1
	    ? err_sys(err, "socketpair")
	    : 0;
}

struct carrier *
carrier_new(enum carrier_kind best, struct err *err)
{
	struct carrier *c = calloc(1, sizeof *c);
	int device;

	if (c == NULL) {
		err_set(err, "out of memory");
		return NULL;
	}
	c->fd = c->listen_fd = c->device_fd = -1;
	/* A host without vsock needs no word; one where it should work does. */
	if (best == CARRIER_VSOCK &&
	    (device = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC)) != -1) {
		if (reserve_vsock(c, device, err) == 0)
			return c;
		log_warn("%s: the channel to the VM is a virtio-serial port",
		    err->msg);
	}
	if (reserve_serial(c, err) == 0)
		return c;
	carrier_free(c);
	return NULL;
}

static void
stop_events(struct carrier *c)
{
	struct event **all[] = {&c->ev_accept, &c->ev_read, &c->ev_write};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		if (*all[i] != NULL)
			event_free(*all[i]);
		*all[i] = NULL;
	}
}

void
carrier_free(struct carrier *c)
{
	if (c == NULL)
		return;
	stop_events(c);
	cleanup_closep(&c->fd);
	cleanup_closep(&c->listen_fd);
	cleanup_closep(&c->device_fd);
	free(c);
}

enum carrier_kind
carrier_kind(const struct carrier *c)
{
	return c->kind;
}

uint32_t
carrier_cid(const struct carrier *c)
{
	return c->cid;
}

int
carrier_device_fd(const struct carrier *c)
{
	return c->device_fd;
}

/* ---- moving bytes -------------------------------------------------------- */

static void
over(struct carrier *c, const char *why)
{
	if (c->over)
		return;
	c->over = true;
	stop_events(c);
	c->lost(c->arg, why);
}

void
carrier_kick(struct carrier *c)
{
	const uint8_t *p;
	size_t len;
	ssize_t n;

	/* kicking: a writer that was called below; it goes on there */
	if (c->over || c->fd == -1 || c->ev_write == NULL || c->kicking)
		return;
	c->kicking = true;
	while ((p = channel_output(c->ch, &len)) != NULL) {
		n = send(c->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			channel_output_drain(c->ch, (size_t)n);
		} else if (errno == EAGAIN) {
			event_add(c->ev_write, NULL);
			break;
		} else if (errno != EINTR) {
			over(c, strerror(errno));
			break;
		}
	}
	c->kicking = false;
}

static void
carrier_write_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	carrier_kick(arg);
}

static void
carrier_read_cb(evutil_socket_t fd, short what, void *arg)
{
	struct carrier *c = arg;
	struct err err;
	ssize_t n;

	(void)what;
	n = recv(fd, c->chunk, sizeof c->chunk, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		over(c, n == 0 ? "end of file" : strerror(errno));
	else if (channel_input(c->ch, c->chunk, (size_t)n, &err) == -1)
		over(c, err.msg);
	else
		carrier_kick(c);
}

static int
connected(struct carrier *c)
{
	c->ev_read =
	    event_new(c->base, c->fd, EV_READ | EV_PERSIST, carrier_read_cb, c);
	c->ev_write = event_new(c->base, c->fd, EV_WRITE, carrier_write_cb, c);
	if (c->ev_read == NULL || c->ev_write == NULL ||
	    event_add(c->ev_read, NULL) == -1)
		return -1;
	carrier_kick(c);
	return 0;
}

/* Only our own VM may be at the other end: any VM of the host, and any
 * process of it, can dial the port. */
static void
carrier_accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct carrier *c = arg;
	struct sockaddr_vm peer = {.svm_family = AF_UNSPEC};
	socklen_t len = sizeof peer;
	int s;

	(void)what;
	s = accept4(
	    fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (s == -1)
		return;
	if (peer.svm_family != AF_VSOCK || peer.svm_cid != c->cid) {
		log_debug(
		    "vsock port %u: refused CID %u", c->cid, peer.svm_cid);
		close(s);
		return;
	}
	c->fd = s;
	event_free(c->ev_accept);
	c->ev_accept = NULL;
	close(take_fd(&c->listen_fd));
	if (connected(c) == -1)
		over(c, "out of memory");
}

int
carrier_attach(struct carrier *c, struct event_base *base, struct channel *ch,
    void (*lost)(void *arg, const char *why), void *arg, struct err *err)
{
	c->base = base;
	c->ch = ch;
	c->lost = lost;
	c->arg = arg;
	cleanup_closep(&c->device_fd);
	c->device_fd = -1;
	if (c->kind == CARRIER_SERIAL)
		return connected(c) == -1 ? err_set(err, "out of memory") : 0;
	c->ev_accept = event_new(
	    base, c->listen_fd, EV_READ | EV_PERSIST, carrier_accept_cb, c);
	if (c->ev_accept == NULL || event_add(c->ev_accept, NULL) == -1)
		return err_set(err, "out of memory");
	return 0;
}
