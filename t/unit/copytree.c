/* SPDX-License-Identifier: Apache-2.0
 * Copies of trees: what can be seen without being root. t/e2e/rootdisk.t has
 * owners and device nodes. */
#include "guest-agent/copytree.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "t/tap.h"

#define HOLE (3 << 20)

/* What a test is about is not tested where it begins. */
static void
must(int r)
{
	if (r == -1) {
		perror("# setting up");
		exit(1);
	}
}

static void
write_file(int dir, const char *name, const char *text, off_t at)
{
	AUTO_CLOSE int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (pwrite(fd, text, strlen(text), at) != (ssize_t)strlen(text))
		ok(false, "write %s", name);
}

static void
make_source(int dir)
{
	const struct timespec old[2] = {{1000, 1}, {981173106, 789000000}};

	write_file(dir, "file", "text", 0);
	must(fchmodat(dir, "file", 0640, 0));
	must(linkat(dir, "file", dir, "zz-hard", 0));
	write_file(dir, "sparse", "end", HOLE);
	must(mkdirat(dir, "deep", 0755));
	must(mkdirat(dir, "deep/er", 0755));
	must(linkat(dir, "file", dir, "deep/er/hard", 0));
	write_file(dir, "deep/er/read-only", "x", 0);
	must(symlinkat("no/where", dir, "link"));
	must(mkfifoat(dir, "fifo", 0621));
	must(mkdirat(dir, "left-out", 0755));
	write_file(dir, "left-out/x", "x", 0);
	must(mkdirat(dir, "left-out-not", 0755));
	write_file(dir, "deep/not-this", "x", 0);
	must(utimensat(dir, "file", old, 0));
	must(utimensat(dir, "link", old, AT_SYMLINK_NOFOLLOW));
	must(fchmodat(dir, "fifo", 0621, 0));
	must(fchmodat(dir, "deep/er", 0555, 0));
	must(utimensat(dir, "deep", old, 0));
}

static struct stat
stat_of(int dir, const char *name)
{
	struct stat st = {.st_mode = 0};

	fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
	return st;
}

static void
same(int src, int dst, const char *name)
{
	struct stat a = stat_of(src, name), b = stat_of(dst, name);

	ok(a.st_mode == b.st_mode && b.st_mode != 0, "%s: type and mode", name);
	ok(a.st_uid == b.st_uid && a.st_gid == b.st_gid, "%s: owner", name);
	ok(a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
		a.st_mtim.tv_nsec == b.st_mtim.tv_nsec,
	    "%s: time", name);
	if (!S_ISDIR(a.st_mode))
		ok(a.st_size == b.st_size && a.st_nlink == b.st_nlink,
		    "%s: size and links", name);
}

static void
test_xattr(int src, int dst, bool possible)
{
	char value[8] = "";
	AUTO_CLOSE int fd = openat(dst, "file", O_RDONLY | O_CLOEXEC);

	(void)src;
	if (!possible)
		skip("extended attribute", "this file system has none");
	else
		ok(fgetxattr(fd, "user.color", value, sizeof(value)) == 4 &&
			memcmp(value, "blue", 4) == 0,
		    "extended attribute");
}

static void
test_copy(int src, int dst)
{
	static const char *const names[] = {".", "file", "zz-hard", "sparse",
	    "deep", "deep/er", "deep/er/hard", "deep/er/read-only", "link",
	    "fifo", "left-out-not"};
	static const char *const exclude[] = {"/left-out/", "/deep/not-this"};
	char path[PATH_MAX], target[16] = "";
	struct stat st;
	struct err err = {""};
	bool xattr;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/file", src);
	xattr = setxattr(path, "user.color", "blue", 4, 0) == 0;
	is_int(copytree(src, dst, exclude, 2, NULL, &err), 0, "copied");
	is_str(err.msg, "", "without an error");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		same(src, dst, names[i]);
	ok(stat_of(dst, "file").st_ino == stat_of(dst, "deep/er/hard").st_ino,
	    "hard links are one file");
	st = stat_of(dst, "sparse");
	ok(st.st_blocks * 512 < HOLE, "a hole stays one");
	ok(readlinkat(dst, "link", target, sizeof(target)) == 8 &&
		memcmp(target, "no/where", 8) == 0,
	    "a link's target");
	ok(faccessat(dst, "left-out", F_OK, 0) == -1, "excluded directory");
	ok(faccessat(dst, "deep/not-this", F_OK, 0) == -1, "excluded file");
	test_xattr(src, dst, xattr);
}

static void
test_refused(int src, int dst)
{
	struct err err = {""};

	/* as when the first copy was not cleared away */
	is_int(copytree(src, dst, NULL, 0, NULL, &err), -1, "not over a copy");
	ok(strncmp(err.msg, "copy /", 6) == 0, "the error has a path");
}

static void
test_clear(int dst)
{
	struct err err = {""};

	must(mkdirat(dst, "lost+found", 0700));
	must(fchmodat(dst, "deep/er", 0755, 0));
	is_int(copytree_clear(dst, "lost+found", &err), 0, "cleared");
	ok(faccessat(dst, "lost+found", F_OK, 0) == 0, "what is kept");
	ok(unlinkat(dst, "lost+found", AT_REMOVEDIR) == 0 &&
		stat_of(dst, "file").st_mode == 0,
	    "the rest is gone");
}

int
main(void)
{
	char dir[] = "/var/tmp/runq-copytree-XXXXXX";
	AUTO_CLOSE int top = -1, src = -1, dst = -1;
	struct err err;

	umask(022);
	if (!ok(mkdtemp(dir) != NULL, "a folder"))
		return done_testing();
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(mkdirat(top, "src", 0750));
	must(mkdirat(top, "dst", 0755));
	src = openat(top, "src", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dst = openat(top, "dst", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_source(src);
	test_copy(src, dst);
	test_refused(src, dst);
	test_clear(dst);
	must(fchmodat(src, "deep/er", 0755, 0));
	copytree_clear(top, NULL, &err);
	rmdir(dir);
	return done_testing();
}
