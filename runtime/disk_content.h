/* SPDX-License-Identifier: Apache-2.0
 * What an image or a device holds, told by its first bytes and never by its
 * name. */
#ifndef RUNTIME_DISK_CONTENT_H
#define RUNTIME_DISK_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/vm_spec.h"

/* How many bytes from the beginning are looked at: btrfs's superblock is at
 * 64 KiB. */
#define DISK_CONTENT_BYTES 69632

enum disk_fs {
	DISK_FS_NONE, /* none that we know */
	DISK_FS_EXT2, /* the simplest of the three that has its features */
	DISK_FS_EXT3,
	DISK_FS_EXT4,
	DISK_FS_XFS,
	DISK_FS_BTRFS,
};

struct disk_content {
	enum vm_disk_format format;
	/* qcow2: what would need another file than the one given, or a key */
	bool backing_file, data_file, encrypted;
	enum disk_fs fs; /* raw only */
};

/* bytes may be fewer than DISK_CONTENT_BYTES. */
void
disk_content_probe(struct disk_content *c, const uint8_t *bytes, size_t len);

/* The name of a file system, "none" for DISK_FS_NONE. */
const char *disk_fs_name(enum disk_fs fs);

/* Would Linux mount fs as that type? */
bool disk_fs_mounts_as(enum disk_fs fs, const char *type);

#endif
