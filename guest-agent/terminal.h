/* SPDX-License-Identifier: Apache-2.0
 * The pty of a process, in the container's own devpts (pty(7)). */
#ifndef GUEST_AGENT_TERMINAL_H
#define GUEST_AGENT_TERMINAL_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

/* To be called inside the container's root. The slave belongs to uid; rows and
 * columns of 0 are left unknown. */
int terminal_open(uid_t uid, uint32_t rows, uint32_t columns, int *master,
    int *slave, struct err *err);

/* Makes it the controlling terminal of the calling session leader and its
 * 0, 1 and 2. */
int terminal_take(int slave, struct err *err);

/* /dev/console of the container is this terminal. */
int terminal_console(int slave, struct err *err);

#endif
