/* SPDX-License-Identifier: Apache-2.0
 * Starts a child of the supervisor: which fds it gets, how it is confined, and
 * how a failure before its exec comes back as a sentence. */
#ifndef SUPERVISOR_SPAWN_H
#define SUPERVISOR_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/err.h"

struct child {
	const char *name;
	pid_t pid;
	int report_fd; /* set-up errors; EOF when exec succeeded */
};

struct spawn {
	const char *name;  /* for messages */
	char *const *argv; /* argv[0] is the path */
	const int *fds;	   /* handed over under their own numbers */
	size_t nfds;
	int stderr_fd; /* becomes stdout and stderr */
	/* runs in the child before exec; its error is reported. May be NULL */
	int (*confine)(const void *arg, struct err *err);
	const void *arg;
};

/* Forks. stdin is /dev/null, the environment empty, signals at their
 * defaults. */
int spawn_start(const struct spawn *s, struct child *out, struct err *err);

/* Waits until the child has exec'ed: 0, or -1 with the child's own sentence.
 * 0 also a second time. */
int spawn_check(struct child *c, struct err *err);

#endif
