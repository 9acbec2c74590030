/* SPDX-License-Identifier: Apache-2.0
 * What a process on its way to exec(2) tells the agent, over a pair of
 * SOCK_SEQPACKET sockets: its terminal, that it is about to run the program, or
 * that it failed. The end of the socket (it is CLOEXEC) after "about to run"
 * means that it does. */
#ifndef GUEST_AGENT_REPORT_H
#define GUEST_AGENT_REPORT_H

#include <stdint.h>
#include <stdnoreturn.h>

#include "lib/err.h"

/* ours is non-blocking. */
int report_pair(int *ours, int *childs, struct err *err);

/* In the child. */
int report_terminal(int fd, int master, struct err *err);
int report_ready(int fd, struct err *err);
noreturn void report_failed(int fd, uint32_t code, const struct err *err);

#endif
