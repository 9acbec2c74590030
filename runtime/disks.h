/* SPDX-License-Identifier: Apache-2.0
 * The disks of a bundle: bind mounts and devices whose place is
 * /dev/runq/ID/CACHE[/FSTYPE[/MOUNTPOINT]]. They are no mounts and no devices
 * of the VM's container: runq opens them on the host, and the supervisor
 * inherits the open files. */
#ifndef RUNTIME_DISKS_H
#define RUNTIME_DISKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/vm_spec.h"
#include "runtime/disk_content.h"

struct json_object;
struct settings;

#define DISKS_PATH "/dev/runq"

enum disk_kind {
	DISK_MISSING, /* cannot be opened: error */
	DISK_FILE,
	DISK_BLOCK,
	DISK_DIR,
	DISK_OTHER, /* a socket, a character device, ... */
};

struct disk {
	char *given; /* for sentences: "--volume SOURCE:DESTINATION" */
	char *id;
	enum vm_disk_cache cache;
	char *fstype;	  /* NULL: not given */
	char *mountpoint; /* NULL: not given; else absolute and clean */
	bool readonly;
	char *source;	       /* path; NULL: a device ... */
	unsigned major, minor; /* ... of these numbers */
	/* facts, by disks_open() */
	enum disk_kind kind;
	int error;	/* errno, of what cannot be opened */
	uint64_t size;	/* bytes */
	bool no_direct; /* its file system does not have O_DIRECT */
	struct disk_content content;
	int fd; /* -1: not opened */
};

struct disks {
	struct disk *v; /* in the order in which they are to be mounted */
	size_t n;
};

/* path is for a disk: DISKS_PATH or below it. */
bool disks_is_disk(const char *path);

/*
 * Reads mounts and linux.devices of config; a relative source is relative to
 * the bundle. *d is initialised by this call; free it also after -1. No look
 * at the host.
 */
int disks_parse(struct disks *d, struct json_object *config, const char *bundle,
    struct err *err);
void disks_free(struct disks *d); /* closes what is open */

/* Opens each and looks what it is; what fails becomes a fact. */
void disks_open(struct disks *d);

/* Judges the facts, and what the settings say of a root disk. */
int disks_check(const struct disks *d, const struct settings *s,
    bool root_readonly, struct err *err);

/* The disks of the spec, and "disks" of the guest's container. */
void disks_spec(const struct disks *d, struct vm_spec *spec);
void disks_guest(const struct disks *d, const struct settings *s,
    struct json_object *container);

/* Puts the open files to VM_DISK_FD and up, inherited. The last descriptor
 * that was taken (last_fd without disks), or -1. */
int disks_place(struct disks *d, int last_fd, struct err *err);

#endif
