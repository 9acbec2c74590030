/* SPDX-License-Identifier: Apache-2.0
 * The OCI seccomp profile (runtime-spec config-linux.md, "Seccomp") as a
 * filter for the kernel. */
#ifndef GUEST_AGENT_SECCOMP_H
#define GUEST_AGENT_SECCOMP_H

#include <linux/filter.h>

#include "lib/err.h"

struct json_object;

/* A compiled profile: the program, and the flags it is installed with. */
struct seccomp_filter {
	struct sock_fprog prog;
	unsigned flags; /* SECCOMP_FILTER_FLAG_*, seccomp(2) */
};

/*
 * Translates profile to BPF, with runc's semantics: architectures,
 * defaultAction and defaultErrnoRet, per-rule errnoRet, args conditions,
 * unknown system calls skipped, ENOSYS for system calls newer than the
 * profile. A profile of another architecture's engine is one for this machine:
 * names are looked up here, and conditions on the flags of clone(2) are on the
 * argument that has them here. The program is allocated; free it with
 * seccomp_free(). Done before fork, so that the child only installs it. After
 * -1 there is nothing to free.
 */
int seccomp_compile(
    struct json_object *profile, struct seccomp_filter *out, struct err *err);
void seccomp_free(struct seccomp_filter *filter);

/* Installs it for the calling process; without no_new_privs this needs
 * CAP_SYS_ADMIN. */
int seccomp_install(const struct seccomp_filter *filter, struct err *err);

#endif
