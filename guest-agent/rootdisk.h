/* SPDX-License-Identifier: Apache-2.0
 * A disk that is the container's root: filled from the image once. */
#ifndef GUEST_AGENT_ROOTDISK_H
#define GUEST_AGENT_ROOTDISK_H

#include <stdbool.h>
#include <stddef.h>

#include "guest-agent/copytree.h"
#include "lib/err.h"

/*
 * path is where the disk is mounted, image where the image is. Afterwards the
 * disk holds a complete copy, from this boot or an earlier one, or what its
 * owner had put there.
 */
int rootdisk_fill(const char *path, const char *image, bool readonly,
    const char *const *exclude, size_t n_exclude,
    const struct copytree_progress *progress, struct err *err);

#endif
