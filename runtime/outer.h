/* SPDX-License-Identifier: Apache-2.0
 * The config.json of the VM's container, which the delegate runs. */
#ifndef RUNTIME_OUTER_H
#define RUNTIME_OUTER_H

#include "lib/err.h"

struct guest_image;
struct hostfacts;
struct json_object;
struct memory;
struct mounts;
struct settings;

/*
 * Made anew: the supervisor as its process, the image folder as its root, and
 * of the engine's only what concerns the host (namespaces, cgroup, hooks,
 * annotations). bundle is absolute; image is what the guest boots from. NULL
 * and err, or an object of the caller's.
 */
struct json_object *outer_config(struct json_object *config, const char *bundle,
    const struct settings *s, const struct guest_image *image,
    const struct hostfacts *facts, const struct mounts *mounts,
    const struct memory *memory, struct err *err);

#endif
