/* SPDX-License-Identifier: Apache-2.0
 * The head of a seccomp program: system calls newer than the profile's author
 * could know give ENOSYS, so that C libraries fall back to older ones. */
#ifndef GUEST_AGENT_SECCOMP_ENOSYS_H
#define GUEST_AGENT_SECCOMP_ENOSYS_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#define SECCOMP_ENOSYS_INSNS_MAX 8

/*
 * Writes the instructions for one architecture (SCMP_ARCH_*) of which largest
 * is the highest number that the profile names; returns how many, at most
 * SECCOMP_ENOSYS_INSNS_MAX. They return ENOSYS or fall through, so the parts
 * for several architectures and the profile's program are just concatenated.
 */
size_t
seccomp_enosys_emit(struct sock_filter *out, uint32_t arch, uint32_t largest);

#endif
