/* SPDX-License-Identifier: Apache-2.0
 * The macvtap that takes over an interface of the container, and the file
 * descriptor by which QEMU drives it. */
#ifndef SUPERVISOR_NET_TAP_H
#define SUPERVISOR_NET_TAP_H

#include <net/if.h>

#include "lib/err.h"
#include "supervisor/net_state.h"

struct rtnl;

struct net_tap {
	char name[IFNAMSIZ];
	int index; /* 0: not made */
};

/*
 * Makes a macvtap with lower's MAC and MTU, up. On a veth it is in mode
 * passthru: it gets every frame. A macvtap on a macvlan lands on the real
 * device below, as the macvlan's sibling, in its mode; two siblings with one
 * MAC cannot both be up, so the macvlan goes down and gets another one. After
 * -1 net_tap_delete() is still to be called.
 */
int net_tap_create(struct rtnl *r, const struct net_link *lower,
    struct net_tap *tap, struct err *err);

/* Deletes it and gives a macvlan its MAC back; errors are of no use here. */
void net_tap_delete(
    struct rtnl *r, const struct net_link *lower, struct net_tap *tap);

/* Opens its character device: non-blocking, close-on-exec, frames with a
 * virtio_net_hdr. -1 with err. */
int net_tap_open(const struct net_tap *tap, struct err *err);

/* The kernel makes no IPv6 address of its own on this link. */
int net_tap_no_autoaddr(struct rtnl *r, int ifindex, struct err *err);

#endif
