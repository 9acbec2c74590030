/* SPDX-License-Identifier: Apache-2.0
 * Mount points in the image's root file system, made on the host as an OCI
 * runtime makes them: a read-only guest could not. */
#ifndef RUNTIME_MOUNTPOINTS_H
#define RUNTIME_MOUNTPOINTS_H

#include "lib/err.h"

struct disks;
struct mounts;

/*
 * Makes what is missing of the destination of each mount and disk (disks may
 * be NULL), of the module tree's and
 * of cwd (mode 0755, directories, an empty file for a file's). Symbolic links
 * are resolved inside rootfs and never lead out of it. What lies below an
 * earlier mount is the guest's to make.
 */
int mountpoints_make(const char *rootfs, const struct mounts *mounts,
    const struct disks *disks, const char *cwd, struct err *err);

#endif
