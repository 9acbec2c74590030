/* SPDX-License-Identifier: Apache-2.0
 * The container's network moved to the VM: reads what the engine set up in
 * this network namespace, makes a macvtap on each veth and macvlan, takes the
 * addresses off, and describes all of it for the agent. */
#ifndef SUPERVISOR_NET_H
#define SUPERVISOR_NET_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct json_object;

#define NET_NICS_MAX 24

struct net_nic {
	char name[IFNAMSIZ]; /* the container's name for it: eth0 */
	uint8_t mac[6];	     /* the guest's: what the engine gave to name */
	uint32_t mtu;
	int tap_fd;   /* macvtap character device, non-blocking;
			 frames begin with a virtio_net_hdr */
	int vhost_fd; /* /dev/vhost-net, or -1 */
};

struct net {
	struct net_nic nics[NET_NICS_MAX];
	size_t n;
	/* "network" of START, doc/vm-spec.md; owned */
	struct json_object *config;
};

/*
 * Does all of it; needs CAP_NET_ADMIN and CAP_MKNOD, /sys of this network
 * namespace and a writable /dev. The nics are in the order of the interfaces'
 * indices. Interfaces other than veth, macvlan, lo and the fallback devices of
 * tunnel drivers are refused by name; with none to carry the result has no
 * nics. After -1 what was made is gone.
 */
int net_setup(struct net *net, struct err *err);

/* Closes what is still open and frees the rest. */
void net_free(struct net *net);

#endif
