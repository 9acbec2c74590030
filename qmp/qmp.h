/* SPDX-License-Identifier: Apache-2.0
 * A QMP client on libevent: commands with ids and deadlines, replies, events.
 * Source: QEMU QMP reference manual. */
#ifndef QMP_QMP_H
#define QMP_QMP_H

#include "lib/err.h"

struct event_base;
struct json_object;
struct qmp;

/* Commands that may wait for their replies at once. */
#define QMP_PENDING_MAX 256

/*
 * Called from the event loop only, never from within qmp_execute() and the
 * like. Each may be NULL; each, and each reply callback, may call anything
 * here, qmp_free() too.
 */
struct qmp_handler {
	/* capabilities negotiated: commands are sent from now on */
	void (*ready)(void *arg);
	/* data is borrowed, may be NULL */
	void (*event)(void *arg, const char *name, struct json_object *data);
	/* The connection is over: end of file, a protocol error, or a command
	 * without a reply by its deadline (why says which). Called once; the
	 * replies still awaited were each called with an error before. */
	void (*closed)(void *arg, const char *why);
};

/* error is NULL on success, else one printable sentence: "device_add: Bus
 * 'pci.0' not found". ret is borrowed; NULL on failure (and for JSON null). */
typedef void (*qmp_reply_cb)(
    void *arg, struct json_object *ret, const char *error);

/*
 * A client on fd (a connected stream socket, owned from here on; made
 * non-blocking). greeting_ms bounds the wait for QEMU's greeting and the
 * negotiation. handler is copied. NULL: err says why, fd is closed.
 */
struct qmp *qmp_new(struct event_base *base, int fd, int greeting_ms,
    const struct qmp_handler *handler, void *arg, struct err *err);
/* Closes the connection; from here on nobody is called back. */
void qmp_free(struct qmp *q);

/*
 * Queues a command, also before ready(). args is owned from here on and may be
 * NULL. pass_fd is sent along by SCM_RIGHTS and closed afterwards (-1: none),
 * as getfd and add-fd want it. cb may be NULL. deadline_ms runs from this
 * call. Commands are sent in order and without waiting for replies. -1: the
 * connection is closed or too much waits; args and pass_fd are gone too.
 */
int qmp_execute(struct qmp *q, const char *command, struct json_object *args,
    int pass_fd, int deadline_ms, qmp_reply_cb cb, void *arg, struct err *err);

/* Commands queued or sent whose reply has not come. */
unsigned qmp_pending(const struct qmp *q);

#endif
