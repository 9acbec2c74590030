/* SPDX-License-Identifier: Apache-2.0
 * The agent's event loop: epoll and nothing else. */
#ifndef GUEST_AGENT_LOOP_H
#define GUEST_AGENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct loop;

/* A watched fd, embedded in its owner; zero-initialise, then set fd, cb, arg.
 * The fd stays its owner's. */
struct loop_source {
	int fd;
	void (*cb)(void *arg, uint32_t events);
	void *arg;
	uint32_t events; /* what is watched now; 0: not in the set */
};

struct loop *loop_new(struct err *err);

/*
 * Watches for events (EPOLLIN, EPOLLOUT); 0 takes the source out of the set,
 * so that a hang-up of an fd that nobody wants to read cannot spin the loop.
 * To be called with 0 before the fd is closed.
 */
void loop_watch(struct loop *l, struct loop_source *s, uint32_t events);

/* Dispatches until *stop is set by a callback. */
int loop_run(struct loop *l, const bool *stop, struct err *err);

#endif
