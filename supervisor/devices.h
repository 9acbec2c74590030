/* SPDX-License-Identifier: Apache-2.0
 * Devices that are added by QMP: the share and the network interfaces. */
#ifndef SUPERVISOR_DEVICES_H
#define SUPERVISOR_DEVICES_H

#include "lib/err.h"

struct machine;
struct net;
struct qmp;
struct vm_ap;
struct share;
struct vm_spec;

/* failed: one sentence, for the first command that QEMU refused. */
struct devices_handler {
	void (*failed)(void *arg, const char *why);
};

/*
 * Queues the commands for the share (virtiofsd's socket is handed over; the 9p
 * server's QEMU has since its start) and for each nic of net (its fds are
 * handed over). They are done when a
 * command queued after them is answered.
 */
int devices_add_share(struct qmp *q, const struct machine *m,
    const struct vm_spec *spec, struct share *share,
    const struct devices_handler *h, void *arg, struct err *err);
int devices_add_nics(struct qmp *q, const struct machine *m, struct net *net,
    const struct devices_handler *h, void *arg, struct err *err);

/* The mediated device of an AP matrix, QEMU docs/system/s390x/vfio-ap.rst. */
int
devices_add_ap(struct qmp *q, const struct machine *m, const struct vm_ap *ap,
    const struct devices_handler *h, void *arg, struct err *err);

/* How long QEMU may take for one command, milliseconds. */
#define DEVICES_DEADLINE 30000

#endif
