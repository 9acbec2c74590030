/* SPDX-License-Identifier: Apache-2.0
 * The RUNQ_ variables of a container's environment. */
#ifndef RUNTIME_ENV_H
#define RUNTIME_ENV_H

#include "lib/err.h"
#include "runtime/settings.h"

struct json_object;

/*
 * Sets what the variables among env (NULL-terminated or NULL, "NAME=value")
 * say. The err names variable, value and what is allowed. Unknown variables
 * and those without effect become lines in warnings.
 */
int env_apply(const char *const *env, struct settings *s,
    struct strlist *warnings, struct err *err);

/* The same with process.env of config. */
int env_apply_config(struct json_object *config, struct settings *s,
    struct strlist *warnings, struct err *err);

#endif
