/* SPDX-License-Identifier: Apache-2.0
 * The agent: what the host says becomes sessions, what sessions do goes back
 * to the host. */
#ifndef GUEST_AGENT_AGENT_H
#define GUEST_AGENT_AGENT_H

#include "lib/err.h"

/* Opens the carrier, says HELLO and serves the host. Returns, always with
 * -1, when the host is gone or the agent cannot go on. */
int agent_run(struct err *err);

#endif
