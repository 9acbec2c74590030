/* SPDX-License-Identifier: Apache-2.0
 * Asking the delegate about a container. */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

#include <sys/types.h>

#include "lib/err.h"

struct buf;
struct cli;
struct json_object;

#define STATE_MAX (1u << 20) /* bytes; annotations are part of it */

struct state {
	char *bundle; /* absolute path */
	pid_t pid;    /* 0: not running */
};

/* What the delegate's command state says of the container that the command
 * line names. -1 with err; an empty err when the delegate has reported the
 * error itself, as the options --log say. Free it after 0. */
int state_get(const char *delegate, const struct cli *cli, struct state *s,
    struct err *err);
void state_free(struct state *s);

/* The same in two steps: the delegate's words, and what they say. The document
 * and the state are the caller's after 0. */
int state_query(const char *delegate, const struct cli *cli, struct buf *b,
    struct err *err);
int state_parse(const struct buf *b, struct json_object **doc, struct state *s,
    struct err *err);

/* Its bundle alone; allocated. NULL: as above. */
char *
state_bundle(const char *delegate, const struct cli *cli, struct err *err);

#endif
