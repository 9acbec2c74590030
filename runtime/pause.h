/* SPDX-License-Identifier: Apache-2.0
 * The commands pause and resume, and what state says of a paused VM. */
#ifndef RUNTIME_PAUSE_H
#define RUNTIME_PAUSE_H

#include "lib/err.h"

struct cli;

/*
 * The container's control group is not frozen: one of version 2 with KVM's and
 * vhost's kernel threads in it never becomes so before Linux 6.13, and a
 * delegate that waits for it leaves a container that nothing can end. The
 * processes of the VM are stopped instead (kill(2), SIGSTOP); the supervisor
 * is not, and stays killable. What is no VM is the delegate's affair.
 *
 * 0, or -1 with err, which is empty when the delegate has reported it.
 */
int pause_exec(struct cli *cli, struct err *err);
int resume_exec(struct cli *cli, struct err *err);

/* Prints what the delegate's state says, with the status "paused" that a
 * frozen container would have. */
int state_exec(struct cli *cli, struct err *err);

#endif
