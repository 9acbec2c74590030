/* SPDX-License-Identifier: Apache-2.0
 * Mounts as file descriptors: made detached, given their attributes, and
 * attached last (fsopen(2), open_tree(2), mount_setattr(2), move_mount(2)), so
 * that no path is resolved twice and nothing is visible half made. */
#ifndef GUEST_AGENT_MNT_H
#define GUEST_AGENT_MNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/*
 * A new file system of that type, not attached anywhere. params are n strings
 * "key" or "key=value" in the file system's own terms; attrs are MOUNT_ATTR_*.
 * Returns a file descriptor, or -1 with the kernel's own words where it has
 * some.
 */
int mnt_create(const char *type, const char *source, const char *const *params,
    size_t n, uint64_t attrs, struct err *err);

/* A detached copy of the mount tree at dirfd/path ("": dirfd itself); not
 * recursive: of its top alone. */
int mnt_clone(int dirfd, const char *path, bool recursive, struct err *err);

/* Changes attributes of the mount that fd is the root of. propagation: 0 or
 * one of MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE. */
int mnt_set(int fd, uint64_t set, uint64_t clear, uint64_t propagation,
    bool recursive, struct err *err);

/* Attaches a detached mount on top of what target is. */
int mnt_attach(int mnt, int target, struct err *err);

#endif
