/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a QEMU that asks ninepd what it likes. Nothing outside of the
 * share is changed, no descriptor is lost, and every reply fits. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "supervisor/ninepd_ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/dev/shm/runq-fuzz-XXXXXX";
static int outside, proc, home;

static void
must(int r)
{
	if (r == -1) {
		perror("the folder of the fuzzer");
		abort();
	}
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	if (at->level == 0)
		return 0;
	must(remove(path));
	return 0;
}

static void
empty(const char *path)
{
	must(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS));
}

static void
leave(void)
{
	empty(dir);
	must(rmdir(dir));
}

static void
prepare(void)
{
	umask(0);
	if (mkdtemp(dir) == NULL)
		must(-1);
	atexit(leave);
	must(outside = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
	must(mkdirat(outside, "share", 0755));
	must(home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
	must(proc = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static void
touch(int at, const char *name)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	must(fd);
	must((int)write(fd, "text\n", 5));
	close(fd);
}

/* Names that a guest may know, with what it must not follow. */
static void
fill(int root)
{
	must(mkdirat(root, "d", 0755));
	touch(root, "f");
	touch(root, "d/f");
	must(symlinkat("..", root, "up"));
	must(symlinkat("d", root, "l"));
	must(mkfifoat(root, "p", 0600));
}

/* What shows that something beside the share, or its place, was touched. */
struct marks {
	struct stat folder, share, secret;
};

static void
look(struct marks *m)
{
	must(fstat(outside, &m->folder));
	must(fstatat(outside, "share", &m->share, 0));
	must(fstatat(outside, "secret", &m->secret, 0));
}

static int
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static void
compare(const struct marks *a, const struct marks *b)
{
	if (!same_time(&a->folder.st_mtim, &b->folder.st_mtim) ||
	    a->share.st_ino != b->share.st_ino ||
	    !same_time(&a->secret.st_ctim, &b->secret.st_ctim) ||
	    a->secret.st_nlink != b->secret.st_nlink)
		abort();
}

static void
look_at_fd(const struct ninep *n, const struct marks *m, int fd)
{
	struct stat st;

	must(fstat(fd, &st));
	if (st.st_dev != n->dev || st.st_ino == m->secret.st_ino ||
	    st.st_ino == m->folder.st_ino ||
	    (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		abort();
	close(fd);
}

/* type, length, that many bytes; again and again. */
static void
requests(
    struct ninep *n, const struct marks *m, const uint8_t *data, size_t size)
{
	static uint8_t in[256], out[NINEP_PAYLOAD_MAX];

	while (size >= 2) {
		struct ninep_request req = {.p = in, .left = data[1]};
		struct ninep_reply reply = {.buf = out};
		uint32_t type = data[0] % 32;
		enum ninep_answer how;
		int r;

		data += 2;
		size -= 2;
		if (req.left > size)
			req.left = size;
		memcpy(in, data, req.left);
		data += req.left;
		size -= req.left;
		r = ninep_do(n, type, &req, &reply, &how);
		if (reply.len > sizeof out)
			abort();
		if (how == NINEP_ANSWER_FD && r >= 0)
			look_at_fd(n, m, r);
		else if (r > 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ninep n;
	struct marks before, after;
	struct stat st;
	int first, last;

	if (outside == 0)
		prepare();
	memset(&n, 0, sizeof n);
	must(n.root =
		 openat(outside, "share", O_PATH | O_DIRECTORY | O_CLOEXEC));
	n.proc = proc;
	must(fstat(n.root, &st));
	n.dev = st.st_dev;
	(void)ninep_inode(&n.inodes, st.st_dev, 0);
	fill(n.root);
	touch(outside, "secret");
	look(&before);
	must(first = dup(proc));
	close(first);

	must(fchdir(proc)); /* as in ninepd; the fuzzer has its own */
	requests(&n, &before, data, size);
	must(fchdir(home));

	must(last = dup(proc));
	close(last);
	if (first != last)
		abort();
	look(&after);
	compare(&before, &after);
	must(fchmodat(outside, "share", 0755, 0));
	close(n.root);
	empty(dir);
	must(mkdirat(outside, "share", 0755));
	return 0;
}
