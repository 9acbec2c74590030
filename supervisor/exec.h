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

/* listen_fd, of exec_door_listen(), is owned from here on, also after a
 * failure. Relays that come before exec_serve() wait in its queue. */
struct exec *exec_new(struct event_base *base, struct channel *ch,
    struct sessions *sessions, int listen_fd,
    const struct exec_handler *handler, void *arg, struct err *err);
void exec_free(struct exec *x);

/* The entry point runs: sessions may begin. */
int exec_serve(struct exec *x);

#endif
