/* SPDX-License-Identifier: Apache-2.0
 * virtiofsd: exports PATH_SHARE to the guest, from its own sandbox. */
#ifndef SUPERVISOR_VIRTIOFSD_H
#define SUPERVISOR_VIRTIOFSD_H

#include "lib/err.h"
#include "supervisor/spawn.h"

struct virtiofsd {
	struct child child;
	int socket_fd; /* connected vhost-user socket, QEMU's end; owned */
	int stderr_fd; /* what virtiofsd says; owned */
};

int virtiofsd_start(struct virtiofsd *out, struct err *err);

#endif
