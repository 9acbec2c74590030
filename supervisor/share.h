/* SPDX-License-Identifier: Apache-2.0
 * The share: the process that gives the image and the volumes to the guest. */
#ifndef SUPERVISOR_SHARE_H
#define SUPERVISOR_SHARE_H

#include "lib/err.h"
#include "supervisor/spawn.h"

struct vm_spec;

struct share {
	struct child child;
	int socket_fd; /* connected, QEMU's end; owned */
	int stderr_fd; /* what it says; owned */
};

/* Starts virtiofsd, or ninepd with --rootfs 9p. */
int share_start(const struct vm_spec *spec, struct share *out, struct err *err);

#endif
