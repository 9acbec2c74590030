/* SPDX-License-Identifier: Apache-2.0
 * The life of a VM: the state machine that owns everything else, from QEMU's
 * first answer to the exit code. */
#ifndef SUPERVISOR_VM_H
#define SUPERVISOR_VM_H

#include <stdbool.h>

#include "lib/err.h"
#include "lib/vm_spec.h"

struct carrier;
struct dns_catch;
struct event_base;
struct machine;
struct net;
struct qemu;
struct share;
struct stdio;
struct tls;
struct vm;

/* Docker's code for failures of the runtime itself. */
#define VM_EXIT_FAILURE 125

/* What was set up for this VM; borrowed, but the fds in it are taken over. */
struct vm_parts {
	const struct vm_spec *spec;
	const struct machine *machine;
	struct carrier *carrier;
	struct qemu *qemu;
	struct share *share;
	struct net *net;
	int *stdio_fds;	 /* three, from stdio_inherit() */
	int relay_fd;	 /* of exec_door_listen() */
	struct tls *tls; /* for runq-exec; NULL: none. Not owned */
	int exec_fd;	 /* its listener, with tls */
	bool docker_dns; /* Docker's DNS server listens here */
	const struct dns_catch *dns_catch; /* NULL: none */
};

/*
 * Joins the parts to the loop. From here on every failure is the state
 * machine's: it ends the loop with a sentence logged and a code set.
 */
struct vm *
vm_new(struct event_base *base, const struct vm_parts *parts, struct err *err);
void vm_free(struct vm *vm);

/* Runs the loop until the VM has ended; the container's exit code. */
int vm_run(struct vm *vm);

#endif
