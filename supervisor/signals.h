/* SPDX-License-Identifier: Apache-2.0
 * Signals of PID 1: what others sent goes on to the entry point, what the
 * kernel sent is for us. */
#ifndef SUPERVISOR_SIGNALS_H
#define SUPERVISOR_SIGNALS_H

#include <sys/types.h>

#include "lib/err.h"

struct event_base;
struct signals;

struct signals_handler {
	void (*forward)(void *arg, int signo); /* 1 to 64, sent by somebody */
	void (*child)(void *arg, pid_t pid, int status); /* wait status */
	void (*resized)(void *arg);			 /* our terminal */
};

/* Blocks every signal; before anything is started. */
void signals_block(void);

struct signals *signals_new(struct event_base *base,
    const struct signals_handler *handler, void *arg, struct err *err);
void signals_free(struct signals *s);

#endif
