/* SPDX-License-Identifier: Apache-2.0
 * The exec sessions of the guest, whoever asked for them: their ids, and the
 * way from the channel to the one that owns a session. */
#ifndef SUPERVISOR_SESSIONS_H
#define SUPERVISOR_SESSIONS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/wire.h"

struct channel;
struct sessions;

/* What the channel reports of one session (see channel.h); arg is the owner's.
 * message: -1 when the frame is not allowed at that point. */
struct session_ops {
	int (*message)(
	    void *arg, enum wire_type type, const uint8_t *p, size_t len);
	void (*data)(void *arg, uint32_t stream, const uint8_t *p, size_t n);
	void (*eof)(void *arg, uint32_t stream);
	void (*writable)(void *arg, uint32_t stream);
	void (*stopped)(void *arg, uint32_t stream);
};

/* NULL: no memory. Owners close their sessions before sessions_free(). */
struct sessions *sessions_new(struct channel *ch);
void sessions_free(struct sessions *s);

/* Opens a session with an id that is free, 1 and up: the id; 0 with err. ops
 * stays the caller's and must outlive the session. */
uint32_t sessions_open(struct sessions *s, const struct session_ops *ops,
    void *arg, struct err *err);
void sessions_close(struct sessions *s, uint32_t id);

/* From the channel. -1: no such session, or not at that point. */
int sessions_message(struct sessions *s, enum wire_type type, uint32_t id,
    const uint8_t *p, size_t len);
void
sessions_data(struct sessions *s, uint32_t stream, const uint8_t *p, size_t n);
void sessions_eof(struct sessions *s, uint32_t stream);
void sessions_writable(struct sessions *s, uint32_t stream);
void sessions_stopped(struct sessions *s, uint32_t stream);

#endif
