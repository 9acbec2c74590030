/* SPDX-License-Identifier: Apache-2.0
 * Where the relays of `runq exec` find the supervisor: a socket in the
 * container's /run. The supervisor makes it before it does anything else, and
 * it appears there (PATH_EXEC_SOCKET) only when it can be connected to. */
#ifndef SUPERVISOR_EXEC_DOOR_H
#define SUPERVISOR_EXEC_DOOR_H

#include "lib/err.h"

/* A listener at path, SOCK_SEQPACKET, mode 0600, non-blocking: its fd, or -1.
 * Relays wait in its queue until somebody accepts them. */
int exec_door_listen(const char *path, struct err *err);

/* A connection to it, blocking. What is not there yet is waited for, at most
 * ms milliseconds. -1: not there by then, or nobody listens any more. */
int exec_door_dial(const char *path, int ms, struct err *err);

#endif
