/* SPDX-License-Identifier: Apache-2.0
 * The agent's part of the spec: the container as the guest runs it. */
#ifndef RUNTIME_GUEST_H
#define RUNTIME_GUEST_H

#include "lib/err.h"

struct hostfacts;
struct json_object;
struct mounts;
struct settings;
struct strlist;

/*
 * "container" of doc/vm-spec.md from config.json, member by member, each
 * typed; what is not listed there does not reach the guest. NULL and err, or
 * an object of the caller's. What the guest cannot have but can do without
 * becomes a warning.
 */
struct json_object *guest_container(struct json_object *config,
    const struct settings *s, const struct hostfacts *facts,
    const struct mounts *mounts, struct strlist *warnings, struct err *err);

#endif
