/* SPDX-License-Identifier: Apache-2.0
 * The mounts of the container, and the paths that are hidden from it. */
#ifndef GUEST_AGENT_MOUNTS_H
#define GUEST_AGENT_MOUNTS_H

#include <stdbool.h>

#include "guest-agent/spec.h"
#include "lib/err.h"

/* In their order, below root; shares come from PATH_SHARE. */
int mounts_make(const struct container_spec *c, int root, struct err *err);

/* A share is mounted at path, and not a file system of the guest. */
bool mounts_has_share_at(const struct container_spec *c, const char *path);

/* Inside the root, when all mounts are made: what is not there is no error. */
int mounts_readonly_path(const char *path, struct err *err);
int mounts_mask_path(const char *path, struct err *err);

#endif
