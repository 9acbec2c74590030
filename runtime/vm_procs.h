/* SPDX-License-Identifier: Apache-2.0
 * The processes of a running VM as the host sees them: the supervisor's
 * children (QEMU, the server of its files) and theirs. */
#ifndef RUNTIME_VM_PROCS_H
#define RUNTIME_VM_PROCS_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/err.h"

/* All of them stop; returns when QEMU has. A VM that is about to start has
 * some seconds to do so. -1: they go on. pid is the supervisor's. */
int vm_procs_stop(pid_t pid, struct err *err);

/* They go on. */
int vm_procs_continue(pid_t pid, struct err *err);

/* Whether QEMU is there and stopped. */
bool vm_procs_stopped(pid_t pid);

#endif
