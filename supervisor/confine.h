/* SPDX-License-Identifier: Apache-2.0
 * Confinement: QEMU's jail, and what the supervisor gives up before it talks
 * to a guest. */
#ifndef SUPERVISOR_CONFINE_H
#define SUPERVISOR_CONFINE_H

#include <stdbool.h>

#include "lib/err.h"

struct vm_ap;

/* What QEMU's jail depends on. */
struct confine_qemu {
	bool kvm;		/* its /dev has the kvm node */
	const struct vm_ap *ap; /* what it sees of an AP device; uuid may be
				   NULL */
};

/* In the child that becomes QEMU; arg is a struct confine_qemu. */
int confine_qemu(const void *arg, struct err *err);

/* No capability to be had by exec any more: for programs that confine
 * themselves. */
int confine_bounding(struct err *err);

/* In the supervisor, once all that needs privilege is done: no capabilities,
 * none to regain, then its own seccomp filter. dns: see filter.h. */
int confine_self(bool dns, struct err *err);

#endif
