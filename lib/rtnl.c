/* SPDX-License-Identifier: Apache-2.0
 * rtnetlink(7) requests on a libmnl socket. */
#include "lib/rtnl.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/* A dump's message may be as long as this: NLMSG_GOODSIZE is what the kernel
 * fills, 32 KiB what it offers to larger readers. */
#define RECV_MAX 32768

struct rtnl {
	struct mnl_socket *sock;
	unsigned seq;
	char request[MNL_NLMSG_HDRLEN + 64 + RTNL_REQUEST_MAX];
	char answer[RECV_MAX];
};

struct rtnl *
rtnl_open(unsigned groups, struct err *err)
{
	struct rtnl *r = calloc(1, sizeof *r);
	int on = 1;

	if (r == NULL) {
		err_sys(err, "rtnetlink");
		return NULL;
	}
	r->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (r->sock == NULL ||
	    mnl_socket_bind(r->sock, groups, MNL_SOCKET_AUTOPID) == -1) {
		err_sys(err, "rtnetlink socket");
		rtnl_close(r);
		return NULL;
	}
	/* The kernel's words for a refusal, and dumps that it filters by what
	 * the request says; without either all still works. */
	mnl_socket_setsockopt(r->sock, NETLINK_EXT_ACK, &on, sizeof on);
	mnl_socket_setsockopt(r->sock, NETLINK_CAP_ACK, &on, sizeof on);
	return r;
}

void
rtnl_close(struct rtnl *r)
{
	if (r == NULL)
		return;
	if (r->sock != NULL)
		mnl_socket_close(r->sock);
	free(r);
}

int
rtnl_fd(const struct rtnl *r)
{
	return mnl_socket_get_fd(r->sock);
}

struct nlmsghdr *
rtnl_begin(struct rtnl *r, uint16_t type, uint16_t flags, const void *header,
    size_t header_len)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(r->request);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nlh->nlmsg_seq = ++r->seq;
	memcpy(mnl_nlmsg_put_extra_header(nlh, header_len), header, header_len);
	return nlh;
}

/* The text that the kernel put behind an error (NETLINK_EXT_ACK), or NULL. */
static const char *
kernel_words(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t off = sizeof *e;
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	/* without NLM_F_CAPPED the whole request comes back first */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		off += e->msg.nlmsg_len - MNL_NLMSG_HDRLEN;
	mnl_attr_for_each (attr, nlh, off)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			return mnl_attr_get_str(attr);
	return NULL;
}

/* What a refusal says is kept here on its way through libmnl's callbacks. */
static int
refused_cb(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	struct err *err = arg;
	const char *words;

	if (nlh->nlmsg_len < mnl_nlmsg_size(sizeof *e)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	if (e->error == 0)
		return MNL_CB_STOP;
	errno = -e->error;
	if ((words = kernel_words(nlh)) != NULL)
		err_sys(err, "%s", words);
	else
		err_set(err, "%s", strerror(errno));
	return MNL_CB_ERROR;
}

struct receiver {
	mnl_cb_t cb;
	void *arg;
	struct err *err;
};

static int
object_cb(const struct nlmsghdr *nlh, void *arg)
{
	struct receiver *rcv = arg;

	return rcv->cb == NULL ? MNL_CB_OK : rcv->cb(nlh, rcv->arg);
}

static int
refused_by_kernel_cb(const struct nlmsghdr *nlh, void *arg)
{
	return refused_cb(nlh, ((struct receiver *)arg)->err);
}

/* Sends what was begun and reads until its end or its error. */
static int
exchange(struct rtnl *r, const struct nlmsghdr *request, struct receiver *rcv)
{
	mnl_cb_t control[] = {[NLMSG_ERROR] = refused_by_kernel_cb};
	unsigned port = mnl_socket_get_portid(r->sock);
	ssize_t n;
	int more;

	if (mnl_socket_sendto(r->sock, request, request->nlmsg_len) == -1)
		return err_sys(rcv->err, "rtnetlink: send");
	do {
		n = mnl_socket_recvfrom(r->sock, r->answer, sizeof r->answer);
		if (n == -1)
			return err_sys(rcv->err, "rtnetlink: receive");
		err_set(rcv->err, "%s", "");
		more = mnl_cb_run2(r->answer, (size_t)n, request->nlmsg_seq,
		    port, object_cb, rcv, control,
		    sizeof control / sizeof *control);
		if (more == -1)
			return rcv->err == NULL || rcv->err->msg[0] != '\0'
			    ? -1
			    : err_sys(rcv->err, "rtnetlink");
	} while (more > 0);
	return 0;
}

int
rtnl_commit(struct rtnl *r, struct nlmsghdr *request, struct err *err)
{
	struct receiver rcv = {NULL, NULL, err};

	request->nlmsg_flags |= NLM_F_ACK;
	return exchange(r, request, &rcv);
}

int
rtnl_dump(struct rtnl *r, uint16_t type, uint8_t family, mnl_cb_t cb, void *arg,
    struct err *err)
{
	/* The header of the longest request: family comes first in all. */
	struct ifinfomsg header = {.ifi_family = family};
	struct receiver rcv = {cb, arg, err};

	return exchange(
	    r, rtnl_begin(r, type, NLM_F_DUMP, &header, sizeof header), &rcv);
}

int
rtnl_events(struct rtnl *r, mnl_cb_t cb, void *arg)
{
	struct receiver rcv = {cb, arg, NULL};
	ssize_t n;

	n = recv(rtnl_fd(r), r->answer, sizeof r->answer, MSG_DONTWAIT);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	return mnl_cb_run(r->answer, (size_t)n, 0, 0, object_cb, &rcv) == -1
	    ? -1
	    : 0;
}

int
rtnl_set_flags(
    struct rtnl *r, int ifindex, unsigned bits, unsigned mask, struct err *err)
{
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC,
	    .ifi_index = ifindex,
	    .ifi_flags = bits,
	    .ifi_change = mask};

	return rtnl_commit(
	    r, rtnl_begin(r, RTM_SETLINK, 0, &header, sizeof header), err);
}
