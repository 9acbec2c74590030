/* SPDX-License-Identifier: Apache-2.0
 * QMP's wire format apart from I/O: bytes in, JSON messages out; and back. */
#include "qmp/codec.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/log.h"

/* Whole messages that the caller has not taken yet may wait behind one. */
#define CODEC_BUFFER_MAX (2u * QMP_MESSAGE_MAX)

struct qmp_codec {
	struct buf in;
	size_t scanned; /* bytes at the front known to hold no line end */
};

struct qmp_codec *
qmp_codec_new(void)
{
	struct qmp_codec *c;

	if ((c = calloc(1, sizeof *c)) != NULL)
		buf_init(&c->in, CODEC_BUFFER_MAX);
	return c;
}

void
qmp_codec_free(struct qmp_codec *c)
{
	if (c == NULL)
		return;
	buf_free(&c->in);
	free(c);
}

int
qmp_codec_input(
    struct qmp_codec *c, const char *data, size_t len, struct err *err)
{
	if (buf_append(&c->in, data, len) == -1)
		return err_set(err,
		    "QMP: no room for %zu more bytes, at most %u may wait", len,
		    CODEC_BUFFER_MAX);
	return 0;
}

bool
qmp_codec_idle(const struct qmp_codec *c)
{
	return buf_len(&c->in) == 0;
}

static void
codec_skip_space(struct qmp_codec *c)
{
	const uint8_t *p;
	size_t len = buf_len(&c->in), n = 0;

	if (c->scanned > 0 || len == 0)
		return; /* in the middle of a message, or nothing at all */
	p = buf_data(&c->in);
	while (n < len &&
	    (p[n] == '\r' || p[n] == '\n' || p[n] == ' ' || p[n] == '\t'))
		n++;
	buf_drain(&c->in, n);
}

/*
 * The length of the line at the front without its "\n": 1. 0: its end is not
 * there yet. QEMU ends each message with "\r\n", and JSON allows no raw line
 * end in a string, so a line is a message (qmp-spec, section "General
 * Definitions"). Each byte is looked at once, however it is split.
 */
static int
codec_line(struct qmp_codec *c, size_t *len, struct err *err)
{
	size_t n = buf_len(&c->in);
	const uint8_t *p, *end;
	char first[8];

	if (n == 0)
		return 0;
	p = buf_data(&c->in);
	if (p[0] != '{') {
		log_escape(first, sizeof first, p, 1);
		return err_set(err,
		    "QMP: a message starts with \"%s\", not with \"{\"", first);
	}
	end = memchr(p + c->scanned, '\n', n - c->scanned);
	c->scanned = end != NULL ? (size_t)(end - p) : n;
	if (c->scanned > QMP_MESSAGE_MAX)
		return err_set(err, "QMP: a message is longer than %u bytes",
		    QMP_MESSAGE_MAX);
	*len = c->scanned;
	return end != NULL;
}

static int
message_greeting(struct qmp_message *m, struct err *err)
{
	struct json_object *qmp, *version, *caps = NULL;

	m->kind = QMP_GREETING;
	if (json_need_obj(m->whole, "QMP greeting", "QMP", &qmp, err) == -1 ||
	    json_need_obj(qmp, "QMP greeting", "version", &version, err) ==
		-1 ||
	    json_opt_arr(qmp, "QMP greeting", "capabilities", &caps, err) == -1)
		return -1;
	if (caps == NULL)
		return err_set(err, "QMP greeting: capabilities is missing");
	return 0;
}

static int
message_id(struct qmp_message *m, const char *where, struct err *err)
{
	int64_t id = 0;

	/* json-c turns what passes 63 bits into the largest number: excluded */
	if (json_opt_int(m->whole, where, "id", 1, INT64_MAX - 1, &id, err) ==
	    -1)
		return -1;
	m->id = (uint64_t)id;
	return 0;
}

static int
message_return(struct qmp_message *m, struct err *err)
{
	m->kind = QMP_RETURN;
	/* any JSON value; null (qom-get may answer so) is NULL in json-c */
	json_object_object_get_ex(m->whole, "return", &m->data);
	return message_id(m, "QMP return", err);
}

static int
message_error(struct qmp_message *m, struct err *err)
{
	static const char where[] = "QMP error";
	struct json_object *e;

	m->kind = QMP_ERROR;
	if (json_need_obj(m->whole, where, "error", &e, err) == -1 ||
	    json_need_str(e, where, "class", &m->name, err) == -1 ||
	    json_need_str(e, where, "desc", &m->desc, err) == -1)
		return -1;
	return message_id(m, where, err);
}

static int
message_event(struct qmp_message *m, struct err *err)
{
	static const char where[] = "QMP event";
	struct json_object *stamp;
	int64_t v;

	m->kind = QMP_EVENT;
	/* both numbers are -1 when QEMU could not read its clock */
	if (json_need_str(m->whole, where, "event", &m->name, err) == -1 ||
	    json_need_obj(m->whole, where, "timestamp", &stamp, err) == -1 ||
	    json_need_int(stamp, where, "seconds", -1, INT64_MAX, &v, err) ==
		-1 ||
	    json_need_int(stamp, where, "microseconds", -1, 999999, &v, err) ==
		-1 ||
	    json_opt_obj(m->whole, where, "data", &m->data, err) == -1)
		return -1;
	return 0;
}

/* What a message is, is told by the one member that it has of these. Others
 * are ignored: the specification lets QEMU add them. */
static const struct {
	const char *key;
	int (*read)(struct qmp_message *, struct err *);
} message_kinds[] = {
    {"return", message_return},
    {"error", message_error},
    {"event", message_event},
    {"QMP", message_greeting},
};

static int
message_read(struct qmp_message *m, struct err *err)
{
	size_t n = sizeof message_kinds / sizeof *message_kinds, kind = n;

	for (size_t i = 0; i < n; i++) {
		if (!json_object_object_get_ex(
			m->whole, message_kinds[i].key, NULL))
			continue;
		if (kind != n)
			return err_set(err,
			    "QMP: a message has both \"%s\" and \"%s\"",
			    message_kinds[kind].key, message_kinds[i].key);
		kind = i;
	}
	if (kind == n)
		return err_set(err,
		    "QMP: a message is no greeting, return, "
		    "error or event");
	return message_kinds[kind].read(m, err);
}

int
qmp_codec_next(struct qmp_codec *c, struct qmp_message *m, struct err *err)
{
	size_t len = 0;
	int r;

	memset(m, 0, sizeof *m);
	codec_skip_space(c);
	if ((r = codec_line(c, &len, err)) != 1)
		return r;
	m->whole =
	    json_parse((const char *)buf_data(&c->in), len, "QMP message", err);
	buf_drain(&c->in, len + 1);
	c->scanned = 0;
	if (m->whole == NULL)
		return -1;
	/* it began with "{" and was parsed as one value: it is an object */
	if (message_read(m, err) == -1) {
		qmp_message_clear(m);
		return -1;
	}
	return 1;
}

void
qmp_message_clear(struct qmp_message *m)
{
	json_object_put(m->whole);
	memset(m, 0, sizeof *m);
}

/* Takes the value, which may be NULL for want of memory. */
static int
object_add(struct json_object *o, const char *key, struct json_object *value)
{
	if (value == NULL)
		return -1;
	if (json_object_object_add(o, key, value) == -1) {
		json_object_put(value);
		return -1;
	}
	return 0;
}

char *
qmp_encode(
    const char *command, struct json_object *args, uint64_t id, size_t *len)
{
	AUTO_JSON struct json_object *o = json_object_new_object();
	const char *text;
	size_t n;
	char *line;

	if (o == NULL ||
	    object_add(o, "execute", json_object_new_string(command)) == -1 ||
	    object_add(o, "id", json_object_new_uint64(id)) == -1)
		return NULL;
	if (args != NULL &&
	    object_add(o, "arguments", json_object_get(args)) == -1)
		return NULL;
	text = json_object_to_json_string_length(
	    o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
	if (text == NULL || (line = malloc(n + 3)) == NULL)
		return NULL;
	memcpy(line, text, n);
	memcpy(line + n, "\r\n", 3);
	*len = n + 2;
	return line;
}
