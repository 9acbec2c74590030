/* SPDX-License-Identifier: Apache-2.0
 * The exec sessions of the guest: ids and the way to their owners. */
#include "supervisor/sessions.h"

#include <stdlib.h>

#include "lib/channel.h"

struct entry {
	const struct session_ops *ops; /* NULL: free */
	void *arg;
};

struct sessions {
	struct channel *ch;
	struct entry table[WIRE_SESSIONS_MAX]; /* [0] is the entry point's */
	uint32_t last;
};

struct sessions *
sessions_new(struct channel *ch)
{
	struct sessions *s = calloc(1, sizeof *s);

	if (s != NULL)
		s->ch = ch;
	return s;
}

void
sessions_free(struct sessions *s)
{
	free(s);
}

/* An id comes back as late as possible. */
static uint32_t
free_id(const struct sessions *s)
{
	for (uint32_t i = 0; i < WIRE_SESSIONS_MAX - 1; i++) {
		uint32_t id = 1 + (s->last + i) % (WIRE_SESSIONS_MAX - 1);

		if (s->table[id].ops == NULL)
			return id;
	}
	return 0;
}

uint32_t
sessions_open(struct sessions *s, const struct session_ops *ops, void *arg,
    struct err *err)
{
	uint32_t id = free_id(s);

	if (id == 0) {
		err_set(err, "exec: %d sessions are open already",
		    WIRE_SESSIONS_MAX - 1);
		return 0;
	}
	if (channel_open(s->ch, id, err) == -1)
		return 0;
	s->last = id;
	s->table[id] = (struct entry){ops, arg};
	return id;
}

void
sessions_close(struct sessions *s, uint32_t id)
{
	channel_close(s->ch, id);
	s->table[id] = (struct entry){NULL, NULL};
}

/* ---- routing ------------------------------------------------------------- */

static const struct entry *
find(const struct sessions *s, uint32_t id)
{
	return id < WIRE_SESSIONS_MAX && s->table[id].ops != NULL
	    ? &s->table[id]
	    : NULL;
}

int
sessions_message(struct sessions *s, enum wire_type type, uint32_t id,
    const uint8_t *p, size_t len)
{
	const struct entry *e = find(s, id);

	return e != NULL ? e->ops->message(e->arg, type, p, len) : -1;
}

void
sessions_data(struct sessions *s, uint32_t stream, const uint8_t *p, size_t n)
{
	const struct entry *e = find(s, wire_session_of(stream));

	if (e != NULL)
		e->ops->data(e->arg, stream, p, n);
}

void
sessions_eof(struct sessions *s, uint32_t stream)
{
	const struct entry *e = find(s, wire_session_of(stream));

	if (e != NULL)
		e->ops->eof(e->arg, stream);
}

void
sessions_writable(struct sessions *s, uint32_t stream)
{
	const struct entry *e = find(s, wire_session_of(stream));

	if (e != NULL)
		e->ops->writable(e->arg, stream);
}

void
sessions_stopped(struct sessions *s, uint32_t stream)
{
	const struct entry *e = find(s, wire_session_of(stream));

	if (e != NULL)
		e->ops->stopped(e->arg, stream);
}
