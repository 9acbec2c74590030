/* SPDX-License-Identifier: Apache-2.0
 * The two processes of an exec session: the one in the guest, and the relay
 * in the VM's container that stands for it. A function of its arguments. */
#ifndef RUNTIME_EXEC_PROCESS_H
#define RUNTIME_EXEC_PROCESS_H

#include <stdbool.h>

#include "lib/err.h"

struct exec_options;
struct json_object;
struct limits;

struct exec_input {
	const struct exec_options *options;
	const char *const *args;  /* the command's, NULL-terminated */
	struct json_object *file; /* --process; NULL: none */
	struct json_object *base; /* "process" of the container's config.json;
				     needed when exec_needs_base() */
	const struct limits *limits; /* of this process */
};

struct exec_processes {
	struct json_object *guest; /* "process" of EXEC in doc/vm-spec.md */
	struct json_object *relay; /* "process" for the delegate */
};

/* The container's own process has a part in that of the session. */
bool exec_needs_base(struct json_object *file);

/* -1 and err: no process of the OCI runtime-spec. *p is initialised by this
 * call; free it also after -1. */
int exec_processes_make(
    const struct exec_input *in, struct exec_processes *p, struct err *err);
void exec_processes_free(struct exec_processes *p);

#endif
