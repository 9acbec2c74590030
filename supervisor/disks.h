/* SPDX-License-Identifier: Apache-2.0
 * The disks of a VM: open files that runq left, added by QMP. */
#ifndef SUPERVISOR_DISKS_H
#define SUPERVISOR_DISKS_H

#include "lib/err.h"
#include "lib/vm_spec.h"

struct devices_handler;
struct machine;
struct qmp;

/* Closes the inherited files on exec: they are QEMU's alone, by QMP. -1: one
 * is not there. */
int disks_inherit(const struct vm_spec *spec, struct err *err);

/* Queues the commands that attach each disk, as devices.h does. */
int
disks_add(struct qmp *q, const struct machine *m, const struct vm_spec *spec,
    const struct devices_handler *h, void *arg, struct err *err);

#endif
