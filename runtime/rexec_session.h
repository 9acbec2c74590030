/* SPDX-License-Identifier: Apache-2.0
 * One command in a container: from the first byte on the connection to the
 * exit code. */
#ifndef RUNTIME_REXEC_SESSION_H
#define RUNTIME_REXEC_SESSION_H

#include <stdbool.h>

#include "lib/err.h"

struct rexec_tls;
struct rexec_cli;

#define REXEC_FAILED 255	 /* our own failure */
#define REXEC_CONTAINER_GONE 137 /* what a killed process would give */

/*
 * Runs the command of cli over the connection, with this process's stdio and
 * signals. The exit code: the command's, or one of the above with err. A
 * message with the command's own code (126, 127) is in err, too; else err is
 * empty.
 */
int rexec_session(struct rexec_tls *tls, const char *id,
    const struct rexec_cli *cli, struct err *err);

#endif
