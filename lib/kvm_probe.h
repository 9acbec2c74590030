/* SPDX-License-Identifier: Apache-2.0
 * Does /dev/kvm run a guest? A few instructions tell. */
#ifndef LIB_KVM_PROBE_H
#define LIB_KVM_PROBE_H

#include <stdbool.h>

#include "lib/err.h"

/*
 * Opens device ("/dev/kvm"), makes a VM and a virtual CPU and, with x86, lets
 * it run from its reset vector to a HLT. All of it in a child process, which
 * is killed after deadline_ms: whatever hangs does not hang the caller. -1
 * with the step that failed.
 */
int kvm_probe(const char *device, bool x86, int deadline_ms, struct err *err);

#endif
