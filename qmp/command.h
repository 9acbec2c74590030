/* SPDX-License-Identifier: Apache-2.0
 * One QMP command from its queueing to its reply. */
#ifndef QMP_COMMAND_H
#define QMP_COMMAND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "qmp/qmp.h"

struct qmp_command {
	TAILQ_ENTRY(qmp_command) link;
	uint64_t id;
	int64_t deadline; /* CLOCK_MONOTONIC, milliseconds */
	int deadline_ms;  /* as the caller gave it, for the sentence */
	qmp_reply_cb cb;  /* may be NULL */
	void *arg;
	char *name;
	char *line; /* owned; freed once it is sent */
	size_t len, sent;
	int pass_fd; /* owned; -1: none, or sent */
};
TAILQ_HEAD(qmp_commands, qmp_command);

/* args is borrowed; pass_fd is owned from here on, after NULL (no memory)
 * too. */
struct qmp_command *qmp_command_new(
    const char *name, struct json_object *args, uint64_t id, int pass_fd);
void qmp_command_free(struct qmp_command *cmd);

/* 1: all of it is sent; 0: the socket is full; -1: errno. */
int qmp_command_send(struct qmp_command *cmd, int sock);

/* NULL: none has that id. */
struct qmp_command *qmp_commands_find(struct qmp_commands *list, uint64_t id);

/* The one of list and best (may be NULL) whose deadline comes first. */
const struct qmp_command *qmp_commands_earliest(
    const struct qmp_commands *list, const struct qmp_command *best);

/* Empties the list, calling nobody back. */
void qmp_commands_clear(struct qmp_commands *list);

#endif
