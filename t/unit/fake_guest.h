/* SPDX-License-Identifier: Apache-2.0
 * A supervisor with a listener for runq-exec and a guest that is made up, in
 * processes of their own; real but for the VM. */
#ifndef T_UNIT_FAKE_GUEST_H
#define T_UNIT_FAKE_GUEST_H

#include <sys/types.h>

/* Commands of the made-up guest:
 *	xor KEY CODE	stdout is stdin with each byte XORed, then exit
 *	err TEXT CODE	TEXT to stderr, exit
 *	show		EXEC itself to stdout, exit 0
 *	signal		ends with 128 + the first signal
 *	resize		"ROWS COLUMNS" of each RESIZE to stdout
 *	hold		runs until its stdout is stopped
 *	others		FAILED 127 "not found"
 */
struct fake_guest {
	pid_t supervisor, agent;
	char id[80];
	/* counted by the agent */
	volatile struct {
		int execs, stops, eofs;
	} * seen;
};

/* cert is the name of a certificate in dir; id what the supervisor thinks the
 * container's is, address the id in whose place it listens. */
struct fake_guest *fake_guest_start(const char *dir, const char *ca,
    const char *cert, const char *id, const char *address);
void fake_guest_stop(struct fake_guest *g);

#endif
