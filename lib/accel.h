/* SPDX-License-Identifier: Apache-2.0
 * KVM when it works: the probe. */
#ifndef LIB_ACCEL_H
#define LIB_ACCEL_H

#include <stdbool.h>

#include "lib/err.h"
#include "lib/vm_spec.h"

/*
 * Decides whether the guest runs under KVM. /dev/kvm alone proves nothing:
 * the CPU must offer vmx or svm (x86_64; s390x: sie), and a tiny guest must
 * run to its HLT. With VM_ACCEL_AUTO a KVM that does not work gives
 * *kvm = false and *why, one sentence (static or in err->msg); with
 * VM_ACCEL_KVM it is an error. *why is NULL when there is nothing to say.
 */
int accel_probe(enum vm_accel wanted, const char *guest_arch, bool *kvm,
    const char **why, struct err *err);

/* Does the text of /proc/cpuinfo of such a machine (uname -m) say that its CPU
 * runs guests? False also for machines that we have no table for. */
bool accel_cpu_offers(const char *cpuinfo, const char *machine);

#endif
