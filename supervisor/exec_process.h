/* SPDX-License-Identifier: Apache-2.0
 * The process that a client of runq-exec gets: the container's own, with other
 * arguments and a few more variables. */
#ifndef SUPERVISOR_EXEC_PROCESS_H
#define SUPERVISOR_EXEC_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct json_object;

/*
 * EXEC for the agent (doc/vm-spec.md) out of the client's (lib/rexec.h) and
 * the "container" of the VM spec: user, capabilities, limits, working
 * directory and seccomp filter are the container's. *args0 is a copy of the
 * command's name. Both are the caller's to free. NULL with err.
 */
char *exec_process(struct json_object *container, const uint8_t *text,
    size_t len, size_t *out_len, char **args0, struct err *err);

#endif
