/* SPDX-License-Identifier: Apache-2.0
 * "process" of a container or of an exec session, as the guest runs it. */
#ifndef RUNTIME_PROCESS_H
#define RUNTIME_PROCESS_H

#include <stdint.h>

#include "lib/err.h"

struct json_object;
struct limits;
struct strlist;

#define PROCESS_ID_MAX (UINT32_MAX - 1) /* (uid_t)-1 means "no change" */

/*
 * A new object of the caller's from a "process" of the OCI runtime-spec
 * (config.md), each member typed and there, and nothing else; resource limits
 * that it does not set are those in limits. NULL and err. What the guest
 * cannot have but can do without becomes a warning.
 */
struct json_object *process_guest(struct json_object *process,
    const struct limits *limits, struct strlist *warnings, struct err *err);

#endif
