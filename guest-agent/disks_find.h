/* SPDX-License-Identifier: Apache-2.0
 * Which block device of the guest is which disk. */
#ifndef GUEST_AGENT_DISKS_FIND_H
#define GUEST_AGENT_DISKS_FIND_H

#include "guest-agent/spec.h"
#include "lib/err.h"

/* Sets the name of each disk ("vda"); waits for those that are not there yet,
 * but not for ever: -1, err names the one that is missing. */
int disks_find(struct container_spec *c, struct err *err);

#endif
