/* SPDX-License-Identifier: Apache-2.0
 * /dev of the container (runtime-spec config-linux.md, "Default Devices"). */
#ifndef GUEST_AGENT_DEVICES_H
#define GUEST_AGENT_DEVICES_H

#include "lib/err.h"

/* The nodes and links in root's /dev; what is there already stays. */
int devices_make(int root, struct err *err);

#endif
