/* SPDX-License-Identifier: Apache-2.0
 * QEMU: its command line and its start. Networks and shares are not here:
 * they are added by QMP (devices.h). */
#ifndef SUPERVISOR_QEMU_H
#define SUPERVISOR_QEMU_H

#include <stdbool.h>

#include "lib/err.h"
#include "lib/vm_spec.h"
#include "supervisor/carrier.h"
#include "supervisor/spawn.h"

struct machine;
struct share;

/* Our ends of what QEMU was started with; each owned by the caller. */
struct qemu {
	struct child child;
	int qmp_fd;	/* the supervisor's monitor */
	int console_fd; /* the guest's console */
	int stderr_fd;	/* what QEMU itself says */
};

/*
 * Checks that program, kernel and initrd are there and starts QEMU, confined,
 * stopped before its first instruction (-S). The second monitor listens at
 * PATH_QMP_SOCKET. carrier gives the channel's device; share the socket of the
 * 9p server, which is closed here. -1: nothing is left
 * behind but perhaps a child that ends by itself.
 */
int qemu_start(const struct vm_spec *spec, const struct machine *m, bool kvm,
    const struct carrier *carrier, struct share *share, struct qemu *out,
    struct err *err);

#endif
