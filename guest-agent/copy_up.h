/* SPDX-License-Identifier: Apache-2.0
 * The content of a directory, copied into the tmpfs that will cover it (mount
 * option tmpcopyup). */
#ifndef GUEST_AGENT_COPY_UP_H
#define GUEST_AGENT_COPY_UP_H

#include "lib/err.h"

/* Both are directories (O_PATH is enough). Owners, modes, times, links and
 * devices are kept. */
int copy_up(int from, int to, struct err *err);

#endif
