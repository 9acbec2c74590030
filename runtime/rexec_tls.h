/* SPDX-License-Identifier: Apache-2.0
 * The client's end of runq-exec's TLS: a connection that never blocks, and a
 * sentence for each way in which a certificate can be wrong. */
#ifndef RUNTIME_REXEC_TLS_H
#define RUNTIME_REXEC_TLS_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

struct rexec_tls;

/* Reads the PEM files and checks our own certificate. NULL with err. */
struct rexec_tls *rexec_tls_new(
    const char *ca, const char *cert, const char *key, struct err *err);
void rexec_tls_free(struct rexec_tls *t);

/* Connects to the listener of the container with that id; the handshake is
 * part of the first reads and writes. May be called again. -1 with errno and
 * err. */
int rexec_tls_connect(struct rexec_tls *t, const char *id, struct err *err);

/* What to poll(2) for before the next try; want_write: there is something
 * to be written. */
struct pollfd rexec_tls_poll(const struct rexec_tls *t, int want_write);

/* Bytes, 0: not now, -1 with err: over. err is empty when the other side said
 * good-bye. */
ssize_t rexec_tls_read(struct rexec_tls *t, void *p, size_t n, struct err *err);
ssize_t
rexec_tls_write(struct rexec_tls *t, const void *p, size_t n, struct err *err);

#endif
