/* SPDX-License-Identifier: Apache-2.0
 * The supervisor's end of runq-exec's TLS. */
#ifndef SUPERVISOR_TLS_H
#define SUPERVISOR_TLS_H

#include <stddef.h>

#include "lib/err.h"
#include "lib/vm_spec.h"

struct bufferevent;
struct event_base;
struct tls;

/* For the container with that id (rexec_name() is what clients must ask for).
 * Reads the PEM texts, which may be wiped afterwards. Opens files: before the
 * filter. */
struct tls *tls_new(const struct vm_tls *pem, const char *id, struct err *err);
void tls_free(struct tls *t);

/* Begins the handshake on a connected socket: BEV_EVENT_CONNECTED says that
 * the client's certificate was verified. fd is the bufferevent's from here on.
 * NULL: no memory; fd is still the caller's. */
struct bufferevent *tls_accept(struct tls *t, struct event_base *base, int fd);

/* Says good-bye as far as that goes at once, closes and frees. */
void tls_close(struct bufferevent *bev);

/* For the log: why the handshake failed; the client's common name. */
void tls_failure(struct bufferevent *bev, char *buf, size_t size);
void tls_client(struct bufferevent *bev, char *buf, size_t size);

#endif
