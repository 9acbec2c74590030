/* SPDX-License-Identifier: Apache-2.0
 * Paths inside a root directory that is not ours: symbolic links are followed
 * as a process in that root would, never out of it. */
#ifndef GUEST_AGENT_ROOT_PATH_H
#define GUEST_AGENT_ROOT_PATH_H

#include "lib/err.h"

enum root_path_make {
	ROOT_PATH_MUST_EXIST,
	ROOT_PATH_DIRECTORY, /* mkdir -p, mode 0755, also for what a dangling
			      * link points to */
	ROOT_PATH_FILE,	     /* the same for its parent, and an empty file */
};

/*
 * An O_PATH descriptor of path in root. -1 with errno and err, which says only
 * what failed: the caller's sentence has the path.
 */
int root_path_open(
    int root, const char *path, enum root_path_make make, struct err *err);

#endif
