/* SPDX-License-Identifier: Apache-2.0
 * The user's terminal while a terminal in the guest takes its place. */
#ifndef RUNTIME_REXEC_TERM_H
#define RUNTIME_REXEC_TERM_H

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

struct term {
	bool raw;
	struct termios saved;
};

/* Raw mode on stdin's terminal, and back; each does nothing the second time. */
void term_raw(struct term *t);
void term_restore(struct term *t);

/* Size of the terminal on stdin or stdout; false: neither is one. */
bool term_size(uint32_t *rows, uint32_t *columns);

#endif
