/* SPDX-License-Identifier: Apache-2.0
 * Kernel modules of the initrd, by what they are needed for. */
#ifndef GUEST_AGENT_MODULES_H
#define GUEST_AGENT_MODULES_H

#include "lib/err.h"

/* Loads the modules of a group of /modules/order ("base", "console", "vsock",
 * "virtiofs", "9p", "net", "blk", "balloon"), in its order. One that is loaded
 * already, or built in and so not listed, is no error. */
int modules_load(const char *group, struct err *err);

#endif
