/* SPDX-License-Identifier: Apache-2.0
 * The user's terminal while a terminal in the guest takes its place. */
#include "runtime/rexec_term.h"

#include <sys/ioctl.h>
#include <unistd.h>

void
term_raw(struct term *t)
{
	struct termios raw;

	if (t->raw || tcgetattr(STDIN_FILENO, &t->saved) == -1)
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	/* TCSADRAIN: what was typed ahead is kept */
	t->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void
term_restore(struct term *t)
{
	if (t->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
	t->raw = false;
}

bool
term_size(uint32_t *rows, uint32_t *columns)
{
	struct winsize w;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &w) == -1 &&
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == -1)
		return false;
	*rows = w.ws_row;
	*columns = w.ws_col;
	return true;
}
