/* SPDX-License-Identifier: Apache-2.0
 * The stdin, stdout and stderr, or the terminal, of one session, joined to its
 * streams in the guest. Bytes pass unchanged; a reader that does not read stops
 * its writer by the stream's window. */
#ifndef SUPERVISOR_STDIO_H
#define SUPERVISOR_STDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct channel;
struct event_base;
struct stdio;

struct stdio_handler {
	/* the channel has new output */
	void (*kick)(void *arg);
	/* nothing is left to be written, after a time when something was */
	void (*flushed)(void *arg);
};

/*
 * fds are owned from here on, also after a failure. With a terminal they are
 * one terminal, which is put into raw mode until stdio_free(). The channel's
 * session is open.
 */
struct stdio *stdio_new(struct event_base *base, struct channel *ch,
    uint32_t session, int fds[3], bool terminal,
    const struct stdio_handler *handler, void *arg, struct err *err);
void stdio_free(struct stdio *s);

/* From now on stdin is read and sent. */
void stdio_start(struct stdio *s);

/* What the channel reports of the session's streams (see channel.h). */
void stdio_data(struct stdio *s, uint32_t stream, const uint8_t *p, size_t n);
void stdio_eof(struct stdio *s, uint32_t stream);
void stdio_writable(struct stdio *s);
void stdio_stopped(struct stdio *s);

/* Bytes still waiting for a reader of stdout or stderr. */
size_t stdio_pending(const struct stdio *s);

/* stdin is /dev/null: the process may have its own. */
bool stdio_without_stdin(const struct stdio *s);

/* Size of the terminal; false when there is none. */
bool stdio_size(const struct stdio *s, uint32_t *rows, uint32_t *columns);

/* Does the terminal turn \n into \r\n? Who made it may have switched that off
 * because his own does (runc run); then the guest's must not do it either. */
bool stdio_onlcr(const struct stdio *s);

#endif
