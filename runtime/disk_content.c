/* SPDX-License-Identifier: Apache-2.0
 * What an image or a device holds, told by its first bytes.
 *
 * Places and numbers: QEMU, docs/interop/qcow2.txt; Linux,
 * Documentation/filesystems/ext4/super.rst, fs/xfs/libxfs/xfs_format.h,
 * include/uapi/linux/btrfs_tree.h. */
#include "runtime/disk_content.h"

#include <string.h>

#define QCOW2_HEADER 104 /* version 3 */
#define QCOW2_DATA_FILE (UINT64_C(1) << 2)

#define EXT_SUPER 1024
#define EXT_MAGIC 0xef53
#define EXT_JOURNAL 0x4 /* compatible feature */
/* what ext2 and ext3 know: filetype, recover (ext3), meta_bg */
#define EXT2_INCOMPAT (0x2 | 0x10)
#define EXT3_INCOMPAT (EXT2_INCOMPAT | 0x4)
/* sparse_super, large_file, btree_dir */
#define EXT2_RO_COMPAT (0x1 | 0x2 | 0x4)

#define BTRFS_MAGIC_AT 0x10040

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static uint64_t
be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static uint32_t
le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[1] << 8 | p[0];
}

static bool
is_at(const uint8_t *bytes, size_t len, size_t at, const char *magic)
{
	size_t n = strlen(magic);

	return len >= at + n && memcmp(bytes + at, magic, n) == 0;
}

/* A header that is cut short is for QEMU to complain about. */
static void
probe_qcow2(struct disk_content *c, const uint8_t *p, size_t len)
{
	c->format = VM_DISK_QCOW2;
	if (len < QCOW2_HEADER)
		return;
	c->backing_file = be64(p + 8) != 0;
	c->encrypted = be32(p + 32) != 0;
	if (be32(p + 4) >= 3)
		c->data_file = (be64(p + 72) & QCOW2_DATA_FILE) != 0;
}

static enum disk_fs
probe_ext(const uint8_t *super)
{
	uint32_t compat = le32(super + 0x5c), incompat = le32(super + 0x60),
		 ro_compat = le32(super + 0x64);

	if ((ro_compat & ~(uint32_t)EXT2_RO_COMPAT) != 0)
		return DISK_FS_EXT4;
	if ((compat & EXT_JOURNAL) != 0)
		return (incompat & ~(uint32_t)EXT3_INCOMPAT) == 0
		    ? DISK_FS_EXT3
		    : DISK_FS_EXT4;
	return (incompat & ~(uint32_t)EXT2_INCOMPAT) == 0 ? DISK_FS_EXT2
							  : DISK_FS_EXT4;
}

static enum disk_fs
probe_fs(const uint8_t *p, size_t len)
{
	if (len >= 2 * EXT_SUPER &&
	    (p[EXT_SUPER + 0x38] | p[EXT_SUPER + 0x39] << 8) == EXT_MAGIC)
		return probe_ext(p + EXT_SUPER);
	if (is_at(p, len, 0, "XFSB"))
		return DISK_FS_XFS;
	if (is_at(p, len, BTRFS_MAGIC_AT, "_BHRfS_M"))
		return DISK_FS_BTRFS;
	return DISK_FS_NONE;
}

void
disk_content_probe(struct disk_content *c, const uint8_t *bytes, size_t len)
{
	*c = (struct disk_content){.format = VM_DISK_RAW};
	if (is_at(bytes, len, 0, "QFI\xfb"))
		probe_qcow2(c, bytes, len);
	else
		c->fs = probe_fs(bytes, len);
}

static const char *const names[] = {
    [DISK_FS_NONE] = "none",
    [DISK_FS_EXT2] = "ext2",
    [DISK_FS_EXT3] = "ext3",
    [DISK_FS_EXT4] = "ext4",
    [DISK_FS_XFS] = "xfs",
    [DISK_FS_BTRFS] = "btrfs",
};

const char *
disk_fs_name(enum disk_fs fs)
{
	return names[fs];
}

/* ext4 reads all three; ext2 reads past a journal that is clean. */
bool
disk_fs_mounts_as(enum disk_fs fs, const char *type)
{
	if (strcmp(type, "ext4") == 0)
		return fs >= DISK_FS_EXT2 && fs <= DISK_FS_EXT4;
	if (strcmp(type, "ext2") == 0)
		return fs == DISK_FS_EXT2 || fs == DISK_FS_EXT3;
	return fs != DISK_FS_NONE && strcmp(type, names[fs]) == 0;
}
