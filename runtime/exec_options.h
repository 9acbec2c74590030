/* SPDX-License-Identifier: Apache-2.0
 * The options of the command exec, those of runc(8) and crun(1). */
#ifndef RUNTIME_EXEC_OPTIONS_H
#define RUNTIME_EXEC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "runtime/strlist.h"

struct exec_options {
	bool help;
	const char *process; /* file with the process, or NULL */
	/* what changes the container's own process when there is no file */
	bool terminal;
	const char *cwd;    /* NULL: the container's */
	struct strlist env; /* NAME=VALUE */
	bool has_user, has_group;
	unsigned uid, gid;
	unsigned *groups; /* additional ones */
	size_t n_groups;
	struct strlist caps;
	int no_new_privs; /* -1: the container's */
	/* as they came, for the delegate */
	struct strlist pass;
	/* one was given that only other runtimes' containers can have */
	bool has_refused;
	struct err refused;
};

void exec_options_init(struct exec_options *x);
void exec_options_free(struct exec_options *x);

/* name has len bytes and no dashes. */
bool exec_option_takes_value(const char *name, size_t len);

/*
 * One option. arg is how it began on the command line, value what stood
 * behind "=" or, when separate, in the next argument; NULL: nothing. The
 * strings are borrowed. -1: unknown, or a wrong value.
 */
int exec_option_set(struct exec_options *x, const char *name, size_t len,
    const char *arg, const char *value, bool separate, struct err *err);

#endif
