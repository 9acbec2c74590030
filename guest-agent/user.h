/* SPDX-License-Identifier: Apache-2.0
 * The user that a process becomes. */
#ifndef GUEST_AGENT_USER_H
#define GUEST_AGENT_USER_H

#include <stddef.h>
#include <sys/types.h>

#include "guest-agent/spec.h"
#include "lib/err.h"

/* Groups first, user last: afterwards there is no right to change either. */
int user_become(const struct process_spec *p, struct err *err);

/* The home directory of uid as a passwd(5) file says; "/" when it does not. */
void user_home(const char *passwd, uid_t uid, char *out, size_t size);

/*
 * The environment of a process: as given, but HOME, where it is missing or
 * empty, is the user's, kept in home. Terminated by NULL; the vector is the
 * caller's, the strings are not. NULL: no memory.
 */
#define USER_HOME_MAX 4096
const char **user_environment(
    const struct process_spec *p, const char *passwd, char home[USER_HOME_MAX]);

#endif
