/* SPDX-License-Identifier: Apache-2.0
 * One rule of an OCI seccomp profile, out of its JSON (runtime-spec
 * config-linux.md, "Seccomp", syscalls). */
#ifndef GUEST_AGENT_SECCOMP_RULE_H
#define GUEST_AGENT_SECCOMP_RULE_H

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct json_object;

#define SECCOMP_ARGS_MAX 1024

struct seccomp_rule {
	uint32_t action;    /* SCMP_ACT_* with its data */
	const char **names; /* at least one; borrowed from the JSON */
	size_t n_names;
	struct scmp_arg_cmp *cmps; /* conditions on arguments */
	unsigned n_cmps;
	/* Two conditions are about the same argument: any of them is enough.
	 * Otherwise all must hold. */
	bool alternatives;
};

/* where names o in errors. rule must be freed also after -1. */
int seccomp_rule_read(struct json_object *o, const char *where,
    struct seccomp_rule *rule, struct err *err);
/* The conditions on argument a become those on argument b, and b's a's. */
void seccomp_rule_swap(struct seccomp_rule *rule, unsigned a, unsigned b);
void seccomp_rule_free(struct seccomp_rule *rule);

/* The action named by member key of o, with the number in errno_key, or
 * EPERM, as its data. */
int seccomp_read_action(struct json_object *o, const char *where,
    const char *key, const char *errno_key, uint32_t *action, struct err *err);

#endif
