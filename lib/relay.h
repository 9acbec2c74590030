/* SPDX-License-Identifier: Apache-2.0
 * What relay and supervisor say to each other, on a SOCK_SEQPACKET socket at
 * PATH_EXEC_SOCKET: the relay is the process that `runq exec` starts in the
 * container, the session that it asks for is in the guest. */
#ifndef LIB_RELAY_H
#define LIB_RELAY_H

#include <stdint.h>

#define RELAY_VERSION 1
#define RELAY_TEXT_MAX 1024

/* fd of the relay with the process, JSON in a sealed memfd (runq made it) */
#define RELAY_PROCESS_FD 3

/* argument of the relay: its stdio is a terminal of the session's own */
#define RELAY_TERMINAL "-t"

enum relay_type {
	/* relay to supervisor. START comes first and brings four fds by
	 * SCM_RIGHTS: the process, stdin, stdout, stderr (non-blocking) */
	RELAY_START = 1, /* value: RELAY_VERSION */
	RELAY_SIGNAL,	 /* value: signal number */
	RELAY_RESIZE,	 /* the terminal has another size */
	/* supervisor to relay; the last message */
	RELAY_EXIT /* value: exit code; text: why, when never executed */
};

#define RELAY_START_FDS 4

struct relay_message {
	uint32_t type;
	uint32_t value;
	char text[RELAY_TEXT_MAX]; /* of EXIT, NUL-terminated */
};

#endif
