/* SPDX-License-Identifier: Apache-2.0
 * rtnetlink(7) requests: one at a time, answered before the next. */
#ifndef LIB_RTNL_H
#define LIB_RTNL_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdint.h>

#include "lib/err.h"

struct rtnl;

/*
 * A socket in the calling process's network namespace, where it stays.
 * groups: RTMGRP_* bits of events to subscribe to, or 0: events and requests
 * do not mix on one socket. NULL with err.
 */
struct rtnl *rtnl_open(unsigned groups, struct err *err);
void rtnl_close(struct rtnl *r); /* NULL is fine */

/* For poll(2): readable when events are there. */
int rtnl_fd(const struct rtnl *r);

/*
 * Begins a request of that type (RTM_*) in the socket's own buffer, with its
 * family header copied from header. The caller appends attributes with
 * mnl_attr_put*(), at most RTNL_REQUEST_MAX bytes of them.
 */
#define RTNL_REQUEST_MAX 4096
struct nlmsghdr *rtnl_begin(struct rtnl *r, uint16_t type, uint16_t flags,
    const void *header, size_t header_len);

/* Sends the request and waits for the kernel's answer. -1 with errno and err:
 * the kernel's own words where it has some, else errno's. */
int rtnl_commit(struct rtnl *r, struct nlmsghdr *request, struct err *err);

/*
 * Calls cb for each object of a dump (RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE)
 * of that address family. cb returns MNL_CB_OK, or MNL_CB_ERROR with errno to
 * end it. -1 with errno and err; EINTR: things changed during the dump, what
 * was seen may be inconsistent, dump again.
 */
int rtnl_dump(struct rtnl *r, uint16_t type, uint8_t family, mnl_cb_t cb,
    void *arg, struct err *err);

/* Reads the events that are there now and calls cb for each; 0, or -1 with
 * errno: ENOBUFS means that some were lost. */
int rtnl_events(struct rtnl *r, mnl_cb_t cb, void *arg);

/* Sets those IFF_* bits of an interface that mask has to what bits has. */
int rtnl_set_flags(
    struct rtnl *r, int ifindex, unsigned bits, unsigned mask, struct err *err);

#endif
