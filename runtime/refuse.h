/* SPDX-License-Identifier: Apache-2.0
 * What a bundle may not ask for, because a VM cannot give it. */
#ifndef RUNTIME_REFUSE_H
#define RUNTIME_REFUSE_H

#include <stdbool.h>

#include "lib/err.h"

struct hostfacts;
struct json_object;

/* -1 and one sentence that names the option, its value and what is allowed. */
int refuse_check(
    struct json_object *config, const struct hostfacts *facts, struct err *err);

/* --privileged: a device rule that allows everything. */
bool refuse_is_privileged(struct json_object *resources);

#endif
