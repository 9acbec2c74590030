/* SPDX-License-Identifier: Apache-2.0
 * The last lines of something talkative (the guest's console, QEMU's stderr):
 * read as it comes, kept in a ring, shown only when the VM dies on us. */
#ifndef SUPERVISOR_TAIL_H
#define SUPERVISOR_TAIL_H

#include <stddef.h>

struct event_base;
struct tail;

#define TAIL_SIZE 8192

/* Reads fd (owned) to its end. NULL: no memory. */
struct tail *tail_new(struct event_base *base, int fd);
void tail_free(struct tail *t);

/* Takes in what is there to be read now. */
void tail_drain(struct tail *t);

/* Logs the last lines, each behind "name: ", unprintable bytes escaped.
 * Returns how many. */
int tail_show(const struct tail *t, const char *name, int lines);

#endif
