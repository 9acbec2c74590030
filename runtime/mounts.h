/* SPDX-License-Identifier: Apache-2.0
 * The mounts of a bundle: those the guest makes itself, and the bind mounts
 * that reach it through the share. */
#ifndef RUNTIME_MOUNTS_H
#define RUNTIME_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "runtime/strlist.h"

struct hostfacts;
struct json_object;

/* The module tree, the last mount of all. */
#define MOUNTS_MODULES "/lib/modules"

enum mount_kind {
	MOUNT_GUEST, /* a file system of the guest's kernel */
	MOUNT_BIND,  /* a directory or file of the host */
};

struct mount {
	enum mount_kind kind;
	char *destination; /* absolute, without ".", ".." and "//" */
	char *type;	   /* the guest's: proc, tmpfs, ..., share */
	char *source;	   /* MOUNT_BIND: absolute path on the host */
	struct strlist options;
	/* MOUNT_BIND, after mounts_resolve */
	unsigned volume; /* N of vol/N */
	bool file;	 /* not a directory */
};

struct mounts {
	struct mount *v; /* in the bundle's order */
	size_t n;
};

/*
 * Reads config.mounts, but for the disks; a relative source is relative to the
 * bundle. *m is initialised by this call; free it also after -1. No look at the
 * host.
 */
int mounts_parse(struct mounts *m, struct json_object *config,
    const char *bundle, struct err *err);
void mounts_free(struct mounts *m);

/* The engine's shared-memory mount becomes the guest's own tmpfs; what cannot
 * cross into a VM is refused; the others get their numbers. */
int mounts_resolve(
    struct mounts *m, const struct hostfacts *facts, struct err *err);

/* A tmpfs at each of the paths where the bundle mounts nothing. */
int mounts_add_tmpfs(
    struct mounts *m, const struct strlist *paths, struct err *err);

/* The array "mounts" of the guest's container, module tree included. */
struct json_object *mounts_guest(const struct mounts *m);

/* Appends the bind mounts of the VM's container to array a. */
void mounts_outer(const struct mounts *m, struct json_object *a);

#endif
