/* SPDX-License-Identifier: Apache-2.0
 * Inherited stdio made fit for an event loop. */
#ifndef SUPERVISOR_STDIO_FDS_H
#define SUPERVISOR_STDIO_FDS_H

#include "lib/err.h"

/*
 * Non-blocking descriptors for fds 0, 1 and 2, made without touching open file
 * descriptions that others share, where that is possible. 0 and 1 become
 * /dev/null; 2 stays, for messages. Opens files: before the filter.
 */
int stdio_inherit(int fds[3], struct err *err);

#endif
