/* SPDX-License-Identifier: Apache-2.0
 * OCI mount options (runtime-spec config.md, "Linux mount options") in the
 * kernel's terms; everything else only by an allowlist per file system. */
#ifndef GUEST_AGENT_MOUNT_OPTIONS_H
#define GUEST_AGENT_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

enum mount_type {
	MOUNT_PROC,
	MOUNT_SYSFS,
	MOUNT_TMPFS,
	MOUNT_DEVPTS,
	MOUNT_MQUEUE,
	MOUNT_CGROUP,
	MOUNT_SHARE, /* a part of the share, bind mounted */
};

/* -1: unknown, with an err that says what is allowed. */
int mount_type_parse(const char *name, enum mount_type *out, struct err *err);

/* MOUNT_ATTR_* to set and to clear. */
struct mount_attrs {
	uint64_t set, clear;
};

struct mount_options {
	struct mount_attrs top; /* of the mount itself */
	struct mount_attrs
	    tree;	      /* of all mounts of the tree: "rro" and so on */
	uint64_t propagation; /* 0 or MS_SHARED and so on */
	bool propagate_tree;
	bool bind, rbind;
	bool copy_up;	   /* tmpcopyup: begin with what it covers */
	bool mode;	   /* data has "mode=" */
	const char **data; /* for the file system; borrowed strings */
	size_t n_data;
};

/* options: n strings, borrowed. *out is initialised by this call and must be
 * freed also after -1. */
int mount_options_parse(enum mount_type type, const char *const *options,
    size_t n, struct mount_options *out, struct err *err);
void mount_options_free(struct mount_options *o);

#endif
