/* SPDX-License-Identifier: Apache-2.0
 * Exec sessions: more processes in the guest, each asked for by a relay (a
 * process that runc started in this container) and joined to its stdio. */
#ifndef SUPERVISOR_EXEC_H
#define SUPERVISOR_EXEC_H

#include "lib/err.h"

struct channel;
struct event_base;
struct exec;
struct sessions;

struct exec_handler {
	/* the channel has new output */
	void (*kick)(void *arg);
};

/*
 * Listens at path (PATH_EXEC_SOCKET), mode 0600. Relays that come before
 * exec_serve() wait in the socket's queue.
 */
struct exec *exec_new(struct event_base *base, struct channel *ch,
    struct sessions *sessions, const char *path,
    const struct exec_handler *handler, void *arg, struct err *err);
void exec_free(struct exec *x);

/* The entry point runs: sessions may begin. */
int exec_serve(struct exec *x);

#endif
