/* SPDX-License-Identifier: Apache-2.0
 * QMP's wire format apart from I/O: bytes in, JSON messages out; and back.
 * Source: QEMU "QMP protocol specification" (docs/interop/qmp-spec). */
#ifndef QMP_CODEC_H
#define QMP_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct json_object;
struct qmp_codec;

/* One message from QEMU may have so many bytes; a longer one is an error. */
#define QMP_MESSAGE_MAX (1u << 20)

enum qmp_kind {
	QMP_GREETING,
	QMP_RETURN,
	QMP_ERROR,
	QMP_EVENT
};

struct qmp_message {
	enum qmp_kind kind;
	uint64_t id;		   /* of RETURN and ERROR; 0: none */
	const char *name;	   /* EVENT: its name; ERROR: its class */
	const char *desc;	   /* ERROR: its description */
	struct json_object *data;  /* RETURN: the value; EVENT: data or NULL */
	struct json_object *whole; /* owns all of the above */
};

struct qmp_codec *qmp_codec_new(void);
void qmp_codec_free(struct qmp_codec *c);

/*
 * Feeds bytes as they came. Take all messages with qmp_codec_next() before the
 * next call: -1 when more than two of the longest messages wait.
 */
int qmp_codec_input(
    struct qmp_codec *c, const char *data, size_t len, struct err *err);

/*
 * 1: *m is the next whole message, to be freed by qmp_message_clear();
 * 0: none yet; -1: what came is not QMP or passes QMP_MESSAGE_MAX: drop the
 * connection.
 */
int qmp_codec_next(struct qmp_codec *c, struct qmp_message *m, struct err *err);

/* No byte waits: an end of file now cuts no message in two. */
bool qmp_codec_idle(const struct qmp_codec *c);
void qmp_message_clear(struct qmp_message *m);

/* One command as a line of JSON with "\r\n"; args (borrowed) may be NULL. The
 * caller frees it. NULL: no memory. */
char *qmp_encode(
    const char *command, struct json_object *args, uint64_t id, size_t *len);

#endif
