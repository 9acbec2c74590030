/* SPDX-License-Identifier: Apache-2.0
 * The door for runq-exec: accepts connections at the listener that `runq
 * create` made, and lets those in that have a client's certificate. */
#ifndef SUPERVISOR_EXEC_TLS_H
#define SUPERVISOR_EXEC_TLS_H

#include <stddef.h>

#include "lib/err.h"

struct channel;
struct event_base;
struct exec_tls;
struct json_object;
struct sessions;
struct tls;

struct exec_tls_parts {
	int listen_fd; /* owned from here on, also after a failure */
	struct tls *tls;
	const char *id;		       /* the container's */
	struct json_object *container; /* of the VM spec */
	struct channel *guest;
	struct sessions *sessions;
	size_t *spare; /* for channel_share() */
	/* the guest's channel has new output */
	void (*kick)(void *arg);
	void *arg;
};

/*
 * Clients that come before exec_tls_serve() wait in the listener's queue. base
 * has three priorities at least: handshakes take the lowest one.
 */
struct exec_tls *exec_tls_new(struct event_base *base,
    const struct exec_tls_parts *parts, struct err *err);
void exec_tls_free(struct exec_tls *x);

/* The entry point runs: sessions may begin. */
int exec_tls_serve(struct exec_tls *x);

#endif
