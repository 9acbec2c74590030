/* SPDX-License-Identifier: Apache-2.0
 * ninepd: requests of QEMU against a folder; what is cut, wrong or hostile. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "supervisor/ninepd_ops.h"
#include "supervisor/ninepd_path.h"
#include "t/tap.h"

static struct ninep n;
static uint8_t in[NINEP_PAYLOAD_MAX], out[NINEP_PAYLOAD_MAX];
static size_t in_len;
static struct ninep_reply reply;
static enum ninep_answer how;

static void
add(const void *p, size_t len)
{
	memcpy(in + in_len, p, len);
	in_len += len;
}

static void
add_u32(uint32_t v)
{
	add(&v, sizeof v);
}

static void
add_u64(uint64_t v)
{
	add(&v, sizeof v);
}

static void
add_bytes(const void *p, uint16_t len)
{
	add(&len, sizeof len);
	add(p, len);
}

static void
add_str(const char *s)
{
	add_bytes(s, (uint16_t)strlen(s));
}

/* QEMU's paths have their zero byte with them. */
static void
add_path(const char *s)
{
	add_bytes(s, (uint16_t)(strlen(s) + 1));
}

/* Sends what was added. */
static int
ask(uint32_t type)
{
	struct ninep_request req = {.p = in, .left = in_len};

	reply = (struct ninep_reply){.buf = out};
	in_len = 0;
	return ninep_do(&n, type, &req, &reply, &how);
}

static int
ask_path(uint32_t type, const char *path)
{
	add_path(path);
	return ask(type);
}

static int
ask_open(const char *path, int flags)
{
	add_path(path);
	add_u32((uint32_t)flags);
	return ask(NINEP_OPEN);
}

static int
ask_create(const char *path, int flags, mode_t mode)
{
	add_str(path);
	add_u32((uint32_t)flags);
	add_u32(mode);
	add_u32(geteuid());
	add_u32(getegid());
	return ask(NINEP_CREATE);
}

static uint64_t
u64_at(size_t at)
{
	uint64_t v;

	memcpy(&v, out + at, sizeof v);
	return v;
}

static uint32_t
u32_at(size_t at)
{
	uint32_t v;

	memcpy(&v, out + at, sizeof v);
	return v;
}

/* ---- messages ------------------------------------------------------------ */

static void
test_messages(void)
{
	struct ninep_request req = {.p = in, .left = 5};

	add_u32(7);
	in_len = 0;
	is_int(ninep_get_u32(&req), 7, "an integer");
	ok(!ninep_get_end(&req), "a byte is left");
	is_int((long long)ninep_get_u64(&req), 0, "one that is cut is 0");
	ok(req.bad && !ninep_get_end(&req), "and the request is bad");
	is_int(ninep_get_u32(&req), 0, "from then on");

	add_str("ab");
	add_path("c");
	req = (struct ninep_request){.p = in, .left = in_len};
	in_len = 0;
	is_str(ninep_get_str(&req), "ab", "a string");
	is_str(ninep_get_str(&req), "c", "one with its zero byte");
	ok(ninep_get_end(&req), "the end");

	add_bytes("a\0b", 3);
	req = (struct ninep_request){.p = in, .left = in_len};
	in_len = 0;
	is_str(ninep_get_str(&req), "", "a zero byte inside");
	ok(req.bad, "is bad");

	add_bytes("abc", 3);
	req = (struct ninep_request){.p = in, .left = in_len - 1};
	in_len = 0;
	is_str(ninep_get_str(&req), "", "a string longer than the request");
	ok(req.bad, "is bad");
}

/* ---- inode numbers ------------------------------------------------------- */

static void
test_inodes(void)
{
	static struct ninep_inodes t;
	const uint64_t big = UINT64_C(0x8001) << 48 | 5;
	uint64_t second;

	is_int((long long)ninep_inode(&t, 10, 5), 5, "the first device's stay");
	second = ninep_inode(&t, 11, 5);
	ok(second != 5, "another device's differ");
	ok(ninep_inode(&t, 10, big) != 5 && ninep_inode(&t, 10, big) != second,
	    "so do large ones");
	ok(ninep_inode(&t, 11, 5) == second, "always in the same way");
	ok(ninep_inode(&t, 11, 6) == second + 1, "neighbours stay neighbours");
	for (dev_t dev = 100; dev < 3 * NINEP_INODE_SPACES; dev++)
		(void)ninep_inode(&t, dev, 5);
	is_int((long long)t.n, NINEP_INODE_SPACES, "the table has a limit");
	ok(ninep_inode(&t, 11, 5) == second, "and keeps what it has");
}

/* ---- paths --------------------------------------------------------------- */

static int
opened(const char *path)
{
	AUTO_CLOSE int fd = ninep_path_open(n.root, path);

	return fd == -1 ? -errno : 0;
}

static void
test_paths(void)
{
	const char *name;
	struct stat a, b;
	int fd;

	is_int(opened("/dir/file"), 0, "a file");
	is_int(opened("//dir//file"), 0, "more slashes");
	is_int(opened(""), 0, "nothing is the root");
	is_int(opened("/missing"), -ENOENT, "what is not there");
	is_int(opened("/link"), 0, "a link itself");
	is_int(opened("/link/file"), -ELOOP, "never through a link");
	is_int(opened("/out/passwd"), -ELOOP, "nor out by one");
	fd = ninep_path_open(n.root, "/../../..");
	ok(fd != -1 && fstat(fd, &a) == 0 && fstat(n.root, &b) == 0 &&
		a.st_ino == b.st_ino && a.st_dev == b.st_dev,
	    "above the root is the root");
	close(fd);
	fd = ninep_path_parent(n.root, "/dir/new", &name);
	ok(fd != -1, "the folder of a name");
	is_str(name, "new", "and the name");
	close(fd);
	is_int(ninep_path_parent(n.root, "/dir/..", &name), -1, "not of ..");
	is_int(ninep_path_parent(n.root, "/dir/.", &name), -1, "nor of .");
	is_int(ninep_path_parent(n.root, "/", &name), -1, "nor of the root");
	is_int(ninep_path_parent(n.root, "/link/x", &name), -1,
	    "nor below a link");
}

/* ---- requests ------------------------------------------------------------ */

static void
test_lstat(void)
{
	struct stat st;

	is_int(ask_path(NINEP_LSTAT, "/dir/file"), 0, "lstat");
	is_int(how, NINEP_ANSWER_DATA, "is answered with data");
	is_int((long long)reply.len, 3 * 8 + 3 * 4 + 10 * 8, "of this length");
	stat("dir/file", &st);
	is_int((long long)u64_at(8), (long long)st.st_ino, "inode");
	is_int(u32_at(24), st.st_mode, "mode");
	is_int((long long)u64_at(44), 5, "size");
	ask_path(NINEP_LSTAT, "/link");
	ok(S_ISLNK(u32_at(24)), "of a link itself");
	is_int(ask_path(NINEP_LSTAT, "/no"), -ENOENT, "of nothing");
	is_int(ask_path(NINEP_STATFS, "/"), 0, "statfs");
	is_int((long long)reply.len, 11 * 8, "of this length");
	is_int(ask_path(NINEP_GETVERSION, "/dir"), 0, "getversion");
}

static void
test_open(void)
{
	char text[8] = "";
	int fd = ask_open("/dir/file", O_RDONLY);

	is_int(how, NINEP_ANSWER_FD, "open is answered with a descriptor");
	ok(fd >= 0 && read(fd, text, sizeof text) == 5, "that reads");
	is_str(text, "text\n", "the file");
	close(fd);
	is_int(ask_open("/link", O_RDONLY), -ENXIO, "a link is not opened");
	is_int(ask_open("/fifo", O_RDONLY), -ENXIO, "a FIFO is not opened");
	is_int(ask_open("/dir/file", O_RDONLY | O_DIRECTORY), -ENOTDIR,
	    "O_DIRECTORY counts");
	fd = ask_open("/dir/file", O_WRONLY | O_TRUNC | O_CREAT | O_PATH);
	ok(fd >= 0 && (fcntl(fd, F_GETFL) & (O_ACCMODE | O_PATH)) == O_WRONLY,
	    "flags that a guest must not have are left out");
	ok(fd >= 0 && write(fd, "text\n", 5) == 5, "it can be written");
	close(fd);

	fd = ask_create("/dir/made", O_RDWR | O_EXCL, 04751);
	ok(fd >= 0, "create");
	close(fd);
	is_int(ask_create("/dir/made", O_RDWR | O_EXCL, 0600), -EEXIST,
	    "a second time");
	fd = ask_create("/dir/made", O_RDWR, 0600);
	ok(fd >= 0, "without O_EXCL");
	close(fd);
	is_int(ask_create("/fifo", O_RDWR, 0600), -ENXIO, "over a FIFO");
	is_int(ask_create("/link/x", O_RDWR, 0600), -ELOOP, "behind a link");
}

static void
test_names(void)
{
	struct stat a, b;
	char buf[32] = "";

	add_u32(geteuid());
	add_u32(getegid());
	add_str("/dir/sub");
	add_u32(01770);
	is_int(ask(NINEP_MKDIR), 0, "mkdir");
	ok(stat("dir/sub", &a) == 0 && a.st_mode == (S_IFDIR | 01770), "mode");
	add_u32(geteuid());
	add_u32(getegid());
	add_str("/dir/node");
	add_u32(S_IFIFO | 0640);
	add_u64(0);
	is_int(ask(NINEP_MKNOD), 0, "mknod");
	add_u32(geteuid());
	add_u32(getegid());
	add_str("../anywhere");
	add_str("/dir/sym");
	is_int(ask(NINEP_SYMLINK), 0, "symlink");
	add_path("/dir/sym");
	add_u32(4096);
	is_int(ask(NINEP_READLINK), 0, "readlink");
	memcpy(buf, out + 2, out[0]);
	is_str(buf, "../anywhere", "its target");
	add_path("/dir/sym");
	add_u32(11);
	is_int(ask(NINEP_READLINK), -ENAMETOOLONG, "QEMU's buffer is honoured");
	add_path("/dir/file");
	add_str("/dir/hard");
	is_int(ask(NINEP_LINK), 0, "link");
	ok(stat("dir/file", &a) == 0 && stat("dir/hard", &b) == 0 &&
		a.st_ino == b.st_ino,
	    "the same file");
	add_path("/dir/sym");
	add_str("/dir/sym2");
	is_int(ask(NINEP_LINK), 0, "link of a link");
	ok(lstat("dir/sym2", &a) == 0 && S_ISLNK(a.st_mode), "is a link");
	add_str("/dir/hard");
	add_str("/moved");
	is_int(ask(NINEP_RENAME), 0, "rename");
	is_int(access("moved", F_OK), 0, "is there");
	is_int(ask_path(NINEP_REMOVE, "/moved"), 0, "remove");
	is_int(ask_path(NINEP_REMOVE, "/dir/sub"), 0, "remove a folder");
	is_int(ask_path(NINEP_REMOVE, "/dir/sym"), 0, "remove a link");
	is_int(ask_path(NINEP_REMOVE, "/dir"), -ENOTEMPTY, "one that is full");
	is_int(ask_path(NINEP_REMOVE, "/dir/.."), -EINVAL, "never ..");
}

static void
utime_of(const char *path, int64_t asec, int64_t nsec, int64_t msec)
{
	add_path(path);
	add_u64((uint64_t)asec);
	add_u64((uint64_t)nsec); /* as QEMU: those of the other */
	add_u64((uint64_t)msec);
	add_u64((uint64_t)nsec);
	is_int(ask(NINEP_UTIME), 0, "utime");
}

static void
test_attributes(void)
{
	struct stat st, before;

	add_path("/dir/file");
	add_u32(S_IFREG | 0604);
	is_int(ask(NINEP_CHMOD), 0, "chmod");
	ok(stat("dir/file", &st) == 0 && st.st_mode == (S_IFREG | 0604),
	    "the mode");
	add_path("/dir/file");
	add_u32((uint32_t)-1);
	add_u32(getegid());
	is_int(ask(NINEP_CHOWN), 0, "chown");
	add_path("/dir/file");
	add_u64(2);
	is_int(ask(NINEP_TRUNCATE), 0, "truncate");
	ok(stat("dir/file", &st) == 0 && st.st_size == 2, "the size");
	add_path("/fifo");
	add_u64(2);
	is_int(ask(NINEP_TRUNCATE), -ENXIO, "not of a FIFO");

	stat("dir/file", &before);
	utime_of("/dir/file", 1000, 7, 2000);
	stat("dir/file", &st);
	ok(st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 7, "mtime");
	ok(st.st_atim.tv_sec == before.st_atim.tv_sec,
	    "an atime that may be none is not taken");
	utime_of("/dir/file", 4000, UTIME_OMIT, -5);
	stat("dir/file", &st);
	ok(st.st_mtim.tv_sec == 2000 && st.st_atim.tv_sec > 4000,
	    "the atime alone: now");
}

static void
set_xattr(const char *path, const char *name, const char *value, uint32_t size)
{
	add_path(path);
	add_str(name);
	add_str(value);
	add_u32(size);
	add_u32(0);
}

static void
test_xattrs(void)
{
	set_xattr("/dir/file", "user.color", "blue", 4);
	if (ask(NINEP_LSETXATTR) == -EOPNOTSUPP) {
		skip("extended attributes", "this file system has none");
		return;
	}
	add_u32(0);
	add_path("/dir/file");
	add_str("user.color");
	is_int(ask(NINEP_LGETXATTR), 0, "getxattr, its size");
	is_int(reply.len == 4 ? u32_at(0) : 0, 4, "is 4");
	add_u32(100000);
	add_path("/dir/file");
	add_str("user.color");
	is_int(ask(NINEP_LGETXATTR), 0, "getxattr");
	ok(reply.len == 6 && memcmp(out + 2, "blue", 4) == 0, "its value");
	add_u32(100);
	add_path("/dir/file");
	is_int(ask(NINEP_LLISTXATTR), 0, "listxattr");
	ok(memmem(out, reply.len, "user.color", 11) != NULL, "has it");
	set_xattr("/dir/file", "user.color", "blue", 100);
	is_int(ask(NINEP_LSETXATTR), -EINVAL, "a size beyond the value");
	add_path("/dir/file");
	add_str("user.color");
	is_int(ask(NINEP_LREMOVEXATTR), 0, "removexattr");
}

/* Whatever comes, there is an answer, and nothing outside is touched. */
static void
test_garbage(void)
{
	unsigned seed = 1;
	int opened_fds = 0;

	is_int(ask(0), -EOPNOTSUPP, "type 0");
	is_int(ask(99), -EOPNOTSUPP, "type 99");
	for (int round = 0; round < 20000; round++) {
		int r;

		in_len = (size_t)rand_r(&seed) % 64;
		for (size_t i = 0; i < in_len; i++)
			in[i] =
			    (uint8_t)(rand_r(&seed) % 4 ? 0 : rand_r(&seed));
		r = ask((uint32_t)rand_r(&seed) % 24);
		if (how == NINEP_ANSWER_FD && r >= 0) {
			opened_fds++;
			close(r);
		}
		if (reply.len > sizeof out)
			ok(false, "a reply of %zu bytes", reply.len);
	}
	ok(true, "20,000 requests of garbage, %d opened the root", opened_fds);
	is_int(access("dir/file", F_OK), 0, "the files are there");
}

static void
make_files(void)
{
	int fd;

	ok(mkdir("dir", 0755) == 0 &&
		(fd = open("dir/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) !=
		    -1 &&
		write(fd, "text\n", 5) == 5 && close(fd) == 0 &&
		symlink("dir", "link") == 0 && symlink("/etc", "out") == 0 &&
		mkfifo("fifo", 0600) == 0,
	    "some files");
}

int
main(void)
{
	char dir[] = "/tmp/runq-ninepd-XXXXXX", command[64];
	struct stat st;

	umask(0);
	if (!ok(mkdtemp(dir) != NULL && chdir(dir) == 0, "a folder"))
		return done_testing();
	make_files();
	n.root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	n.proc = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ok(n.root != -1 && fstat(n.root, &st) == 0, "its root");
	(void)ninep_inode(&n.inodes, st.st_dev, 0);
	test_messages();
	test_inodes();
	if (lacks_syscall(SYS_openat2)) {
		skip("files", LACKS_OPENAT2);
	} else {
		test_paths();
		test_lstat();
		test_open();
		test_names();
		test_attributes();
		ok(fchdir(n.proc) == 0, "as in ninepd");
		test_xattrs();
		ok(chdir(dir) == 0, "back");
	}
	test_garbage();
	snprintf(command, sizeof command, "rm -r %s", dir);
	is_int(system(command), 0, "the folder goes");
	return done_testing();
}
