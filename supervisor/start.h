/* SPDX-License-Identifier: Apache-2.0
 * The START message: all that the agent learns of its container. */
#ifndef SUPERVISOR_START_H
#define SUPERVISOR_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/vm_spec.h"

struct json_object;

/* What the entry point's stdio is; rows and columns when terminal. */
struct start_stdio {
	bool stdin_null;
	bool terminal;
	uint32_t rows, columns;
	bool onlcr; /* it turns \n into \r\n */
};

/* JSON text as in doc/vm-spec.md; network may be NULL. The caller frees it. */
char *start_message(const struct vm_spec *spec, struct json_object *network,
    const struct start_stdio *io, size_t *len, struct err *err);

#endif
