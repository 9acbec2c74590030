/* SPDX-License-Identifier: Apache-2.0
 * The program that args[0] names, found as runc finds it. */
#ifndef GUEST_AGENT_LOOKPATH_H
#define GUEST_AGENT_LOOKPATH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/*
 * Writes the path to execute to out: file itself when it has a slash, else the
 * first executable of that name in the PATH of env (NULL-terminated). -1 with
 * the sentence that Docker's users know and *code 127 (not found) or 126
 * (found, but not executable).
 */
int lookpath(const char *file, const char *const *env, char *out, size_t size,
    uint32_t *code, struct err *err);

/* The value of a variable, the last one where there are several; or NULL. */
const char *env_value(const char *const *env, const char *name);

/* strerror(3) as it reads within a sentence: "permission denied". */
const char *reason(int error, char *buf, size_t size);

/* Docker's exit code for a program that cannot be run because of error. */
uint32_t code_of(int error);

#endif
