/* SPDX-License-Identifier: Apache-2.0
 * Mount points in a hostile image: made inside it, never outside. */
#include "runtime/mountpoints.h"

#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "runtime/disks.h"
#include "runtime/mounts.h"
#include "runtime/xalloc.h"
#include "t/tap.h"

static char top[] = "/tmp/runq-mountpoints-XXXXXX";
static struct mounts mounts;
static struct disks disks;
static struct err err;

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* The type of a path below the test's directory: 'd', 'f', 'l', or '-'. */
static char
type(const char *path)
{
	AUTO_FREE char *p = xasprintf("%s/%s", top, path);
	struct stat st;

	if (lstat(p, &st) == -1)
		return '-';
	return S_ISDIR(st.st_mode) ? 'd' : S_ISLNK(st.st_mode) ? 'l' : 'f';
}

static void
is_type(const char *path, char want)
{
	char got = type(path);

	if (!ok(got == want, "%s is %c", path, want))
		printf("# got %c\n", got);
}

static void
make_dir(const char *path)
{
	AUTO_FREE char *p = xasprintf("%s/%s", top, path);

	if (mkdir(p, 0700) == -1)
		printf("# mkdir %s: %s\n", p, strerror(errno));
}

static void
make_link(const char *target, const char *path)
{
	AUTO_FREE char *p = xasprintf("%s/%s", top, path);

	if (symlink(target, p) == -1)
		printf("# symlink %s: %s\n", p, strerror(errno));
}

static void
add_disk(const char *mountpoint)
{
	disks.v = xcalloc(1, sizeof(*disks.v));
	disks.n = 1;
	disks.v[0].fd = -1;
	disks.v[0].mountpoint = xstrdup(mountpoint);
}

static void
add_mount(const char *destination, bool file)
{
	struct mount *m;

	mounts.v = xreallocarray(mounts.v, mounts.n + 1, sizeof(*mounts.v));
	m = &mounts.v[mounts.n++];
	*m = (struct mount){.kind = MOUNT_BIND,
	    .destination = xstrdup(destination),
	    .file = file};
}

static int
make(const char *cwd)
{
	AUTO_FREE char *rootfs = xasprintf("%s/rootfs", top);
	int r = mountpoints_make(rootfs, &mounts, &disks, cwd, &err);

	if (r == -1)
		printf("# %s\n", err.msg);
	mounts_free(&mounts);
	disks_free(&disks);
	return r;
}

static void
test_plain(void)
{
	AUTO_FREE char *p = xasprintf("%s/rootfs/a", top);
	struct stat st;

	add_mount("/a/b/c", false);
	add_mount("/etc/hosts", true);
	add_mount("/dev", false);
	add_mount("/dev/pts", false);
	add_disk("/var/disk");
	is_int(make("/work/dir"), 0, "plain paths");
	is_type("rootfs/var/disk", 'd');
	is_type("rootfs/a/b/c", 'd');
	is_type("rootfs/etc/hosts", 'f');
	is_type("rootfs/dev", 'd');
	is_type("rootfs/dev/pts", '-');
	is_type("rootfs/work/dir", 'd');
	is_type("rootfs/lib", 'l');
	ok(stat(p, &st) == 0 && (st.st_mode & 07777) == 0755, "mode 0755");
	add_mount("/a/b/c", false);
	is_int(make("/work/dir"), 0, "again");
}

static void
test_links(void)
{
	make_link("../../../../outside", "rootfs/up");
	add_mount("/up/x", false);
	is_int(make("/"), 0, "a link of ..s");
	is_type("outside/x", '-');
	is_type("rootfs/outside/x", 'd');

	make_link(top, "rootfs/abs");
	add_mount("/abs/y", false);
	is_int(make("/"), 0, "an absolute link");
	is_type("y", '-');

	make_link("/run", "rootfs/var-run");
	add_mount("/var-run/z", true);
	is_int(make("/"), 0, "a dangling link");
	is_type("rootfs/run/z", 'f');

	make_link("/proc/self/root/tmp", "rootfs/magic");
	add_mount("/magic/m", false);
	is_int(make("/"), 0, "a link into /proc");
	is_type("rootfs/proc/self/root/tmp/m", 'd');

	make_link("secret", "rootfs/last");
	add_mount("/last", true);
	is_int(make("/"), 0, "the last component is a link");
	is_type("rootfs/secret", 'f');

	make_link("loop2", "rootfs/loop1");
	make_link("loop1", "rootfs/loop2");
	add_mount("/loop1/x", false);
	is_int(make("/"), -1, "a loop of links");
	ok(strstr(err.msg, "symbolic links") != NULL, "is named");
}

static void
test_usrmerge(void)
{
	make_link("usr/lib", "rootfs/lib");
	is_int(make("/"), 0, "/lib is a link");
	is_type("rootfs/usr/lib/modules", 'd');
}

static void
test_tmpfs(void)
{
	AUTO_FREE char *p = xasprintf("%s/rootfs/new/tmp", top);
	struct stat st = {0};

	add_mount("/new/tmp", false);
	mounts.v[0].kind = MOUNT_GUEST;
	mounts.v[0].type = xstrdup("tmpfs");
	is_int(make("/"), 0, "a tmpfs");
	ok(stat(p, &st) == 0 && (st.st_mode & 07777) == 01777,
	    "has a mount point with the mode of a new tmpfs");
}

static void
test_below_mount(void)
{
	add_mount("/vol", false);
	make_link("/vol/inner", "rootfs/to-vol");
	add_mount("/to-vol/deep", false);
	is_int(make("/vol/cwd"), 0, "below an earlier mount");
	is_type("rootfs/vol", 'd');
	is_type("rootfs/vol/inner", '-');
	is_type("rootfs/vol/cwd", '-');
}

static void
test_file_in_the_way(void)
{
	add_mount("/plain", true);
	add_mount("/other", false);
	is_int(make("/"), 0, "a file");
	is_int(make("/plain/below"), 0, "left for the guest to refuse");
	is_type("rootfs/plain", 'f');
}

static void
test_no_rootfs(void)
{
	is_int(mountpoints_make("/nowhere/at/all", &mounts, NULL, "/", &err),
	    -1, "no root file system");
	is_str(err.msg, "root.path /nowhere/at/all: No such file or directory",
	    "its sentence");
}

int
main(void)
{
	if (lacks_syscall(SYS_openat2))
		return skip_all(LACKS_OPENAT2);
	if (mkdtemp(top) == NULL)
		return 1;
	make_dir("rootfs");
	make_dir("outside");
	test_usrmerge();
	test_plain();
	test_links();
	test_tmpfs();
	test_below_mount();
	test_file_in_the_way();
	test_no_rootfs();
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return done_testing();
}
