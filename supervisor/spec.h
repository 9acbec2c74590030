/* SPDX-License-Identifier: Apache-2.0
 * Reads the VM spec that runq left on fd VM_SPEC_FD. */
#ifndef SUPERVISOR_SPEC_H
#define SUPERVISOR_SPEC_H

#include "lib/err.h"
#include "lib/vm_spec.h"

/* The fd must be a fully sealed memfd (fcntl(2), file sealing); it is closed.
 * *spec must be freed also after -1. */
int spec_read(int fd, struct vm_spec *spec, struct err *err);

#endif
