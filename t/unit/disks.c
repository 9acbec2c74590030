/* SPDX-License-Identifier: Apache-2.0
 * Disks: what is told by an image's first bytes, and by opening it. */
#include "runtime/disks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "runtime/xalloc.h"
#include "t/tap.h"

/* ---- contents ------------------------------------------------------- */

static uint8_t image[DISK_CONTENT_BYTES];

static void
put_le32(size_t at, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		image[at + i] = (uint8_t)(v >> 8 * i);
}

static void
put_be(size_t at, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		image[at + i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

static struct disk_content
probe(size_t len)
{
	struct disk_content c;

	disk_content_probe(&c, image, len);
	return c;
}

/* Features as mke2fs 1.47 sets them. */
static void
test_ext(void)
{
	static const struct {
		uint32_t compat, incompat, ro_compat;
		enum disk_fs fs;
		const char *name;
	} cases[] = {
	    {0x38, 0x2, 0x3, DISK_FS_EXT2, "mke2fs -t ext2"},
	    {0x38, 0x12, 0x7, DISK_FS_EXT2, "ext2 with meta_bg"},
	    {0x3c, 0x2, 0x3, DISK_FS_EXT3, "mke2fs -t ext3"},
	    {0x3c, 0x6, 0x3, DISK_FS_EXT3, "ext3 to be recovered"},
	    {0x3c, 0x2c2, 0x46b, DISK_FS_EXT4, "mke2fs -t ext4"},
	    {0x38, 0x42, 0x3, DISK_FS_EXT4, "extents without a journal"},
	    {0x38, 0x2, 0x403, DISK_FS_EXT4, "checksums without a journal"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(image, 0, sizeof(image));
		image[1024 + 0x38] = 0x53;
		image[1024 + 0x39] = 0xef;
		put_le32(1024 + 0x5c, cases[i].compat);
		put_le32(1024 + 0x60, cases[i].incompat);
		put_le32(1024 + 0x64, cases[i].ro_compat);
		is_str(disk_fs_name(probe(sizeof(image)).fs),
		    disk_fs_name(cases[i].fs), cases[i].name);
	}
	is_int(probe(2047).fs, DISK_FS_NONE, "ext cut short");
}

static void
test_other_fs(void)
{
	memset(image, 0, sizeof(image));
	is_int(probe(sizeof(image)).fs, DISK_FS_NONE, "zeros");
	is_int(probe(0).fs, DISK_FS_NONE, "nothing");
	memcpy(image, "XFSB", 4);
	is_int(probe(sizeof(image)).fs, DISK_FS_XFS, "xfs");
	is_int(probe(3).fs, DISK_FS_NONE, "xfs cut short");
	memset(image, 0, 4);
	memcpy(image + 0x10040, "_BHRfS_M", 8);
	is_int(probe(sizeof(image)).fs, DISK_FS_BTRFS, "btrfs");
	is_int(probe(0x10047).fs, DISK_FS_NONE, "btrfs cut short");
}

static void
test_qcow2(void)
{
	struct disk_content c;

	memset(image, 0, sizeof(image));
	memcpy(image, "QFI\xfb", 4);
	put_be(4, 3, 4);
	c = probe(sizeof(image));
	is_int(c.format, VM_DISK_QCOW2, "qcow2");
	ok(!c.backing_file && !c.data_file && !c.encrypted, "nothing more");
	put_be(8, 0x200, 8);
	ok(probe(sizeof(image)).backing_file, "backing file");
	put_be(8, 0, 8);
	put_be(32, 2, 4);
	ok(probe(sizeof(image)).encrypted, "encrypted");
	put_be(32, 0, 4);
	put_be(72, 4, 8);
	ok(probe(sizeof(image)).data_file, "data file");
	put_be(4, 2, 4);
	ok(!probe(sizeof(image)).data_file, "version 2 has no such feature");
	is_int(probe(4).format, VM_DISK_QCOW2, "cut short: still qcow2");
	is_int(probe(3).format, VM_DISK_RAW, "cut shorter: raw");
	image[3] = 0;
	is_int(probe(sizeof(image)).format, VM_DISK_RAW, "other magic: raw");
}

static void
test_mounts_as(void)
{
	static const char types[][6] = {"ext2", "ext3", "ext4", "xfs", "btrfs"};
	/* rows: what is there; columns: what it is mounted as */
	static const char *const can[] = {[DISK_FS_NONE] = "nnnnn",
	    [DISK_FS_EXT2] = "ynynn",
	    [DISK_FS_EXT3] = "yyynn",
	    [DISK_FS_EXT4] = "nnynn",
	    [DISK_FS_XFS] = "nnnyn",
	    [DISK_FS_BTRFS] = "nnnny"};

	for (int fs = DISK_FS_NONE; fs <= DISK_FS_BTRFS; fs++)
		for (size_t t = 0; t < 5; t++)
			is_int(disk_fs_mounts_as((enum disk_fs)fs, types[t]),
			    can[fs][t] == 'y', disk_fs_name((enum disk_fs)fs));
}

/* ---- opening -------------------------------------------------------- */

static struct disk
open_path(const char *path, bool readonly)
{
	struct disks d = {.v = xcalloc(1, sizeof(*d.v)), .n = 1};
	struct disk copy;

	d.v[0].fd = -1;
	d.v[0].source = xstrdup(path);
	d.v[0].readonly = readonly;
	disks_open(&d);
	copy = d.v[0];
	free(copy.source);
	free(d.v);
	return copy;
}

static void
test_open(void)
{
	char dir[] = "/tmp/runq-disks-XXXXXX";
	AUTO_FREE char *file = NULL, *fifo = NULL, *link = NULL;
	struct disk d;
	int fd;

	if (!ok(mkdtemp(dir) != NULL, "a folder"))
		return;
	file = xasprintf("%s/name.qcow2", dir);
	fifo = xasprintf("%s/fifo", dir);
	link = xasprintf("%s/link", dir);
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ok(fd != -1 && pwrite(fd, "XFSB", 4, 0) == 4 &&
		ftruncate(fd, 123456) == 0 && symlink(file, link) == 0 &&
		mkfifo(fifo, 0600) == 0,
	    "files");
	close(fd);
	d = open_path(link, false);
	is_int(d.kind, DISK_FILE, "a file");
	is_int((long long)d.size, 123456, "its size");
	is_int(d.content.format, VM_DISK_RAW, "its name does not count");
	is_int(d.content.fs, DISK_FS_XFS, "its content does");
	is_int(fcntl(d.fd, F_GETFL) & O_ACCMODE, O_RDWR, "to be written");
	ok(d.fd >= VM_DISK_FD + VM_DISKS_MAX, "out of the way");
	cleanup_closep(&d.fd);
	d = open_path(file, true);
	is_int(fcntl(d.fd, F_GETFL) & O_ACCMODE, O_RDONLY, "to be read only");
	cleanup_closep(&d.fd);
	is_int(open_path(dir, false).kind, DISK_DIR, "a directory");
	is_int(open_path(fifo, false).kind, DISK_OTHER,
	    "a FIFO, which is not opened");
	is_int(open_path("/dev/null", false).kind, DISK_OTHER,
	    "a character device");
	unlink(file);
	d = open_path(link, false);
	is_int(d.error, ENOENT, "missing");
	unlink(link);
	unlink(fifo);
	rmdir(dir);
}

int
main(void)
{
	test_ext();
	test_other_fs();
	test_qcow2();
	test_mounts_as();
	test_open();
	return done_testing();
}
