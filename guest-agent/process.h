/* SPDX-License-Identifier: Apache-2.0
 * From a child that is in its namespaces to the program that was asked for. */
#ifndef GUEST_AGENT_PROCESS_H
#define GUEST_AGENT_PROCESS_H

#include <stdint.h>
#include <stdnoreturn.h>

#include "guest-agent/seccomp.h"
#include "guest-agent/spec.h"
#include "lib/err.h"

struct process_io;

struct process_setup {
	const struct process_spec *spec;
	const struct cap_sets *caps;
	const struct seccomp_filter *filter; /* NULL: none */
	const struct process_io *io;
	int report; /* report.h */
	int proc;   /* root of a proc file system of its pid namespace */
};

/*
 * The first thing in a child: no signal handlers of the agent, no descriptors
 * but 0, 1, 2 and the report's, a session of its own. Updates p->report.
 */
int process_begin(struct process_setup *p, struct err *err);

/* Inside the container's root: makes and reports the terminal, if it is to
 * have one; console: it is also /dev/console. */
int
process_terminal(const struct process_setup *p, bool console, struct err *err);

/* The rest, in runc's order. Does not return: it executes, or reports. */
noreturn void process_run(const struct process_setup *p);

#endif
