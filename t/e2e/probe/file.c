/* SPDX-License-Identifier: Apache-2.0
 * Verbs about files: stat and touch, and a walk through the semantics that
 * programs expect from a POSIX file system. */
#include "t/e2e/probe/probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static void
print_stat(const char *path)
{
	char target[PATH_MAX], names[1024], value[256];
	struct stat st;
	ssize_t n, i, v;

	if (lstat(path, &st) == -1) {
		printf("%s: %s\n", path, result(-1));
		return;
	}
	printf(
	    "%s: mode %o owner %u:%u", path, st.st_mode, st.st_uid, st.st_gid);
	if (!S_ISDIR(st.st_mode))
		printf(" links %lu", (unsigned long)st.st_nlink);
	if (S_ISREG(st.st_mode))
		printf(" size %lld", (long long)st.st_size);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		printf(" dev %u:%u", major(st.st_rdev), minor(st.st_rdev));
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		printf(" -> %s", target);
	}
	n = llistxattr(path, names, sizeof(names));
	for (i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
		v = lgetxattr(path, names + i, value, sizeof(value));
		printf(" %s(%zd)", names + i, v);
	}
	putchar('\n');
}

int
verb_stat(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		print_stat(argv[i]);
	return 0;
}

int
verb_setxattr(int argc, char **argv)
{
	int r;

	if (argc != 4)
		return 99;
	r = setxattr(argv[1], argv[2], argv[3], strlen(argv[3]), 0);
	printf("%s %s: %s\n", argv[1], argv[2], result(r));
	return r == 0 ? 0 : 1;
}

int
verb_touch(int argc, char **argv)
{
	int fd, i, failed = 0;

	for (i = 1; i < argc; i++) {
		fd = open(argv[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		printf("%s: %s\n", argv[i], result(fd));
		failed |= fd == -1;
		if (fd != -1)
			close(fd);
	}
	return failed;
}

static void
report(const char *what, long r)
{
	printf("%s: %s\n", what, result(r));
}

static int
make_file(const char *path, const char *text)
{
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1)
		return -1;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
try_names(void)
{
	char name[300];

	close(make_file("a", "alpha"));
	report("open O_EXCL on a file", open("a", O_CREAT | O_EXCL, 0600));
	report("open O_DIRECTORY on a file", open("a", O_DIRECTORY));
	report("link", link("a", "b"));
	report("symlink", symlink("a", "s"));
	report("open O_NOFOLLOW on a symlink", open("s", O_NOFOLLOW));
	report("symlink to itself", symlink("loop", "loop"));
	report("open a loop", open("loop", O_RDONLY));
	report("mkfifo", mkfifo("fifo", 0640));
	report("mknod socket", mknod("sock", S_IFSOCK | 0600, 0));
	report("mknod null", mknod("null", S_IFCHR | 0666, makedev(1, 3)));
	report("mkdir", mkdir("d", 0750));
	report("mkdir again", mkdir("d", 0750));
	report("rmdir of a file", rmdir("a"));
	report("rename over a file", rename("b", "a"));
	report("rename a directory over a file", rename("d", "a"));
	report("rename into nothing", rename("a", "none/a"));
	report("rename", rename("a", "c"));
	report("rename noreplace",
	    renameat2(AT_FDCWD, "c", AT_FDCWD, "s", RENAME_NOREPLACE));
	report("rename exchange",
	    renameat2(AT_FDCWD, "c", AT_FDCWD, "d", RENAME_EXCHANGE));
	report("rename exchange back",
	    renameat2(AT_FDCWD, "c", AT_FDCWD, "d", RENAME_EXCHANGE));
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	report("name of 255 bytes", close(make_file(name, "x")));
	name[255] = 'n';
	name[256] = '\0';
	report("name of 256 bytes", make_file(name, "x"));
	report("name that is not UTF-8", close(make_file("\xff\xfe\n", "x")));
	print_stat("c");
	print_stat("s");
	print_stat("fifo");
	print_stat("sock");
	print_stat("null");
	print_stat("d");
}

static void
try_modes(void)
{
	int fd = make_file("m", "mode");

	report("chmod 4755", chmod("m", 04755));
	print_stat("m");
	report("chown clears setuid", chown("m", 12, 34));
	print_stat("m");
	report("chmod 2777 of a directory", chmod("d", 02777));
	report("mkdir inherits the group",
	    chown("d", 0, 99) | chmod("d", 02777) | mkdir("d/inner", 0755));
	print_stat("d/inner");
	report("setxattr user", setxattr("m", "user.probe", "value", 5, 0));
	report("setxattr create again",
	    setxattr("m", "user.probe", "v", 1, XATTR_CREATE));
	report("setxattr trusted", setxattr("m", "trusted.probe", "v", 1, 0));
	report("getxattr of none", getxattr("m", "user.none", NULL, 0));
	print_stat("m");
	report("removexattr", removexattr("m", "user.probe"));
	report("access", faccessat(AT_FDCWD, "m", W_OK, 0));
	close(fd);
}

static void
try_contents(void)
{
	struct timespec ts[2] = {
	    {1000000000, 123456789}, {1100000000, 987654321}};
	struct stat st;
	char buf[16] = "";
	char *map;
	int fd = make_file("data", "0123456789"), other;

	report("pread", pread(fd, buf, 4, 3));
	printf("read back: %s\n", buf);
	report("ftruncate longer", ftruncate(fd, 100000));
	report("pwrite far", pwrite(fd, "end", 3, 1 << 20));
	fstat(fd, &st);
	printf("size %lld\n", (long long)st.st_size);
	printf("hole at %lld\n", (long long)(lseek(fd, 0, SEEK_HOLE) > 0));
	report("fallocate", fallocate(fd, 0, 0, 1 << 16));
	report("fallocate keep size",
	    fallocate(fd, FALLOC_FL_KEEP_SIZE, 2 << 20, 1 << 16));
	report("futimens", futimens(fd, ts));
	fstat(fd, &st);
	printf("mtime %lld.%09ld\n", (long long)st.st_mtim.tv_sec,
	    st.st_mtim.tv_nsec);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	report("mmap shared", map == MAP_FAILED ? -1 : 0);
	if (map != MAP_FAILED) {
		memcpy(map, "mapped", 6);
		report("msync", msync(map, 4096, MS_SYNC));
		munmap(map, 4096);
	}
	memset(buf, 0, sizeof(buf));
	report("pread what was mapped", pread(fd, buf, 6, 0));
	printf("read back: %s\n", buf);
	other = open("data", O_RDWR | O_CLOEXEC | O_APPEND);
	report("append", write(other, "+", 1));
	report("fsync", fsync(other));
	report("lock", flock(fd, LOCK_EX | LOCK_NB));
	report("lock by another", flock(other, LOCK_EX | LOCK_NB));
	report("unlink while open", unlink("data"));
	report("pread after unlink", pread(fd, buf, 6, 0));
	fstat(fd, &st);
	printf("links %lu size %lld\n", (unsigned long)st.st_nlink,
	    (long long)st.st_size);
	close(other);
	close(fd);
}

static void
try_special(void)
{
	char path[64];
	struct dirent *de;
	int fd, i, n = 0;
	DIR *d;

	mkdir("many", 0755);
	for (i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "many/%d", i);
		close(make_file(path, "x"));
	}
	d = opendir("many");
	while (d != NULL && (de = readdir(d)) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	printf("entries %d\n", n);
	report("rmdir of a full directory", rmdir("many"));
	fd = open("fifo", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	report("fifo", fd);
	report("write to the fifo", write(fd, "x", 1));
	close(fd);
	fd = open("null", O_RDWR | O_CLOEXEC);
	report("open the device node", fd);
	report("write to the device node", write(fd, "x", 1));
	close(fd);
}

static void
try_socket(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX, .sun_path = "unix"};
	int a, b;

	a = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	b = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	report("bind a socket", bind(a, (struct sockaddr *)&sun, sizeof(sun)));
	report("connect before listen",
	    connect(b, (struct sockaddr *)&sun, sizeof(sun)));
	report("listen", listen(a, 1));
	report("connect", connect(b, (struct sockaddr *)&sun, sizeof(sun)));
	print_stat("unix");
	close(a);
	close(b);
}

int
verb_files(int argc, char **argv)
{
	if (argc < 2 || chdir(argv[1]) == -1 || mkdir("probe", 0755) == -1 ||
	    chdir("probe") == -1) {
		printf("%s: %s\n", argc < 2 ? "" : argv[1], result(-1));
		return 1;
	}
	umask(022);
	try_names();
	try_modes();
	try_contents();
	try_special();
	try_socket();
	return 0;
}
