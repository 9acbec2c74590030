/* SPDX-License-Identifier: Apache-2.0
 * The command check: what of this host a VM can use, what it will use, and
 * how to get what is missing. */
#ifndef RUNTIME_CHECK_H
#define RUNTIME_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/err.h"

struct settings;

/* Something that works, or the sentence why not. */
struct check_fact {
	bool works;
	char why[ERR_MSG_MAX];
};

/* Where a kernel module is. */
enum check_module {
	CHECK_MODULE_LOADED, /* or built in */
	CHECK_MODULE_FILE,   /* modprobe would find it */
	CHECK_MODULE_NONE,
};

struct check_facts {
	bool root;	  /* else devices and keys cannot be judged */
	bool kvm_forced;  /* --accel kvm */
	bool kvm_refused; /* --accel tcg */
	struct check_fact kvm, vsock, vhost_net, macvtap;
	enum check_module vhost_vsock_module, vhost_net_module, macvtap_module;
	const char *vsock_rival; /* a loaded module that has vsock's place on
				    the host's side, or NULL */
	struct check_fact image, delegate, exec; /* works: why is the path */
	int cgroup; /* version 1 or 2; 0: not mounted */
};

/* Looks at the host. Loads nothing, changes nothing. */
void check_collect(struct check_facts *f, const struct settings *s);

/* Prints a line or two for each; 0, or 1 when containers will not run. */
int check_report(const struct check_facts *f, FILE *out);

#endif
