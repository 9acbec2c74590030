/* SPDX-License-Identifier: Apache-2.0
 * The memory of a running VM, made smaller or larger again by its balloon. */
#ifndef RUNTIME_BALLOON_H
#define RUNTIME_BALLOON_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

/*
 * Sets the guest's memory to so many bytes, no more than it was made with, and
 * waits until the guest has followed. pid is the supervisor's. -1: it has not
 * in time, and has back what it had.
 */
int balloon_set(pid_t pid, int64_t bytes, struct err *err);

#endif
