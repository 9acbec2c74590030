/* SPDX-License-Identifier: Apache-2.0
 * Copies and removes trees of files as they are: owners, modes, times,
 * extended attributes, hard links, holes, device nodes. */
#ifndef GUEST_AGENT_COPYTREE_H
#define GUEST_AGENT_COPYTREE_H

#include <stddef.h>

#include "lib/err.h"

/* Called now and then while a copy is under way. */
struct copytree_progress {
	void (*cb)(void *arg);
	void *arg;
};

/*
 * Copies what is in the directory src to the directory dst, and src's own
 * attributes to dst. exclude: n absolute paths below src that are left out.
 * Other file systems that are mounted below src are left out, too. -1 leaves
 * a part of a copy; err names the path.
 */
int copytree(int src, int dst, const char *const *exclude, size_t n,
    const struct copytree_progress *progress, struct err *err);

/* Removes all that is in the directory dir but entries named keep. */
int copytree_clear(int dir, const char *keep, struct err *err);

#endif
