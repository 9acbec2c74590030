/* SPDX-License-Identifier: Apache-2.0
 * What runq-exec and the supervisors agree on: where a container listens, what
 * it is called in the TLS handshake, and the one session of a connection.
 *
 * After the handshake both speak the frames of lib/wire.h, the supervisor in
 * the agent's place. supervisor: HELLO with the container's id. client: EXEC.
 * supervisor: STARTED or FAILED, then EXIT as of a session of the agent. EXEC
 * carries
 *
 *	{ "process": { "args": ["sh"], "env": ["A=b"], "terminal": true },
 *	  "terminal": { "rows": 24, "columns": 80 } }
 *
 * and everything that it does not name is the container's own process's. */
#ifndef LIB_REXEC_H
#define LIB_REXEC_H

#include <sys/socket.h>
#include <sys/un.h>

#include "lib/err.h"

#define REXEC_SESSION 1
#define REXEC_EXEC_MAX (4u << 20) /* bytes of EXEC */
#define REXEC_ENV_MAX 4096	  /* variables in it */

/* A name in a handshake has up to 63 characters here (one label of a DNS
 * name): those that the id begins with. HELLO has all of it. */
#define REXEC_NAME_SIZE 64
void rexec_name(const char *id, char name[REXEC_NAME_SIZE]);

/* The abstract address (unix(7)) of a container's listener. -1: ids of more
 * than 96 characters do not fit. */
int rexec_addr(
    const char *id, struct sockaddr_un *sa, socklen_t *len, struct err *err);

#endif
