/* SPDX-License-Identifier: Apache-2.0
 * The server of 9p shares: QEMU, which has no privileges, speaks 9p with the
 * guest (its fsdev "proxy"), and asks this program to open and change files.
 *
 * It is confined before it reads the first request, in this order:
 *	1. mount, network, IPC and UTS namespaces of its own;
 *	2. all of the share nosuid, nodev, noexec, so that no device of the host
 *	   can be opened through an image or a volume;
 *	3. the share is its root and nothing else is mounted: also a descriptor
 *	   that QEMU gets leads nowhere but into the share;
 *	4. eight capabilities, those of virtiofsd, none to regain;
 *	5. a seccomp filter.
 * Then it says so by a byte on the second descriptor of its command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/paths.h"
#include "supervisor/confine.h"
#include "supervisor/ninepd_ops.h"

/* What makes files anybody's, capabilities(7); as virtiofsd has them. */
static const int capabilities[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER,
    CAP_FSETID, CAP_MKNOD, CAP_SETFCAP, CAP_SETGID, CAP_SETUID};

static const int allowed[] = {
    /* QEMU's socket */
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(sendmsg),
    /* files, by descriptor and name */
    SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(close), SCMP_SYS(fstat),
    SCMP_SYS(newfstatat), SCMP_SYS(fstatfs), SCMP_SYS(readlinkat),
    SCMP_SYS(fchmodat), SCMP_SYS(fchownat), SCMP_SYS(ftruncate),
    SCMP_SYS(utimensat), SCMP_SYS(mknodat), SCMP_SYS(mkdirat),
    SCMP_SYS(symlinkat), SCMP_SYS(linkat), SCMP_SYS(unlinkat),
    SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(getxattr),
    SCMP_SYS(listxattr), SCMP_SYS(setxattr), SCMP_SYS(removexattr),
    SCMP_SYS(setfsuid), SCMP_SYS(setfsgid),
    /* end */
    SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
    SCMP_SYS(exit_group)};

/* ---- confinement --------------------------------------------------------- */

static int
enter_share(struct ninep *n, struct err *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID |
		MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};

	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) ==
	    -1)
		return err_sys(err, "unshare");
	/* what is mounted in a volume later arrives here, too */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == -1)
		return err_sys(err, "make mounts slaves");
	n->proc = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (n->proc == -1)
		return err_sys(err, "open /proc/self/fd");
	if (mount_setattr(
		AT_FDCWD, PATH_SHARE, AT_RECURSIVE, &attr, sizeof attr) == -1)
		return err_sys(err, "attributes of " PATH_SHARE);
	/* pivot_root(2), NOTES: new root and put_old may be the same */
	if (chdir(PATH_SHARE) == -1 ||
	    syscall(SYS_pivot_root, ".", ".") == -1 ||
	    umount2(".", MNT_DETACH) == -1)
		return err_sys(err, "make " PATH_SHARE " the root");
	n->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (n->root == -1 || fchdir(n->proc) == -1)
		return err_sys(err, "open the share");
	return 0;
}

/* Capabilities are not to follow the user that files are made for
 * (setfsuid(2)); nothing is executed any more, so nothing is regained. */
static int
drop_privileges(struct err *err)
{
	struct __user_cap_header_struct h = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0];
	     i++) {
		const int c = capabilities[i];

		data[CAP_TO_INDEX(c)].permitted |= CAP_TO_MASK(c);
		data[CAP_TO_INDEX(c)].effective |= CAP_TO_MASK(c);
	}
	if (prctl(PR_SET_SECUREBITS,
		SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED, 0, 0,
		0) == -1)
		return err_sys(err, "securebits");
	if (confine_bounding(err) == -1)
		return -1;
	if (syscall(SYS_capset, &h, data) == -1)
		return err_sys(err, "drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return err_sys(err, "no_new_privs");
	return 0;
}

static int
install_filter(struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = -ENOMEM;

	if (ctx == NULL)
		return err_set(err, "seccomp: out of memory");
	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
		if (r < 0)
			break;
	}
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	if (r < 0)
		return err_set(err, "seccomp filter: %s", strerror(-r));
	return 0;
}

/* The image is the file system that keeps its inode numbers. */
static int
look_at_share(struct ninep *n, struct err *err)
{
	struct stat root, image;

	if (fstat(n->root, &root) == -1 ||
	    fstatat(n->root, SHARE_ROOTFS, &image, AT_SYMLINK_NOFOLLOW) == -1)
		return err_sys(err, "stat " PATH_SHARE "/" SHARE_ROOTFS);
	n->dev = root.st_dev;
	(void)ninep_inode(&n->inodes, image.st_dev, 0);
	return 0;
}

static int
confine(struct ninep *n, struct err *err)
{
	umask(0);
	if (enter_share(n, err) == -1 || look_at_share(n, err) == -1 ||
	    drop_privileges(err) == -1)
		return -1;
	return install_filter(err);
}

/* ---- requests ------------------------------------------------------------ */

/* 0: all of it; -1 with errno 0 at the end of the stream. */
static int
read_all(int fd, void *buf, size_t n)
{
	uint8_t *p = buf;

	while (n > 0) {
		ssize_t r = read(fd, p, n);

		if (r == -1 && errno == EINTR)
			continue;
		if (r <= 0) {
			if (r == 0)
				errno = 0;
			return -1;
		}
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

static int
write_all(int fd, const void *buf, size_t n)
{
	const uint8_t *p = buf;

	while (n > 0) {
		ssize_t r = write(fd, p, n);

		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return -1;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

/* One integer, and with it the descriptor that result is. */
static int
send_fd(int sock, int result)
{
	int value = result < 0 ? result : NINEP_FD_VALID;
	struct iovec iov = {&value, sizeof value};
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.space = {0}};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t r;

	if (result >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof control.space;
		control.h.cmsg_len = CMSG_LEN(sizeof(int));
		control.h.cmsg_level = SOL_SOCKET;
		control.h.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.h), &result, sizeof result);
	}
	do
		r = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (r == -1 && errno == EINTR);
	if (result >= 0)
		close(result);
	return r == sizeof value ? 0 : -1;
}

static int
answer(int sock, enum ninep_answer how, int result, uint8_t *out, size_t len)
{
	struct ninep_reply head = {.buf = out};
	struct ninep_reply status = {.buf = out + NINEP_HEADER};

	if (how == NINEP_ANSWER_FD)
		return send_fd(sock, result);
	if (result < 0 || how == NINEP_ANSWER_STATUS) {
		ninep_put_u32(&status, (uint32_t)result);
		len = status.len;
	}
	ninep_put_u32(&head, result < 0 ? NINEP_ERROR : NINEP_SUCCESS);
	ninep_put_u32(&head, (uint32_t)len);
	return write_all(sock, out, NINEP_HEADER + len);
}

/* QEMU has ended, whatever it was waiting for. */
static bool
is_end(int e)
{
	return e == 0 || e == EPIPE || e == ECONNRESET;
}

/* Until QEMU ends, or breaks the protocol. */
static int
serve(struct ninep *n, int sock, struct err *err)
{
	static uint8_t in[NINEP_PAYLOAD_MAX],
	    out[NINEP_HEADER + NINEP_PAYLOAD_MAX];

	for (;;) {
		struct ninep_reply reply = {.buf = out + NINEP_HEADER};
		struct ninep_request req = {.p = in};
		enum ninep_answer how;
		uint32_t head[2]; /* type, length */
		int r;

		if (read_all(sock, head, sizeof head) == -1)
			return is_end(errno) ? 0 : err_sys(err, "read");
		if (head[1] > sizeof in)
			return err_set(err, "a request of %u bytes", head[1]);
		req.left = head[1];
		if (read_all(sock, in, req.left) == -1)
			return is_end(errno) ? 0 : err_sys(err, "read");
		r = ninep_do(n, head[0], &req, &reply, &how);
		if (answer(sock, how, r, out, reply.len) == -1)
			return is_end(errno) ? 0 : err_sys(err, "write");
	}
}

int
main(int argc, char **argv)
{
	static struct ninep n;
	struct err err;
	int sock, ready;

	log_init("ninepd", STDERR_FILENO, LOG_LEVEL_WARN);
	if (argc != 3) {
		log_error("this program is started by runq's supervisor");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	sock = atoi(argv[1]);
	ready = atoi(argv[2]);
	if (confine(&n, &err) == -1)
		goto fail;
	(void)!write(ready, "", 1);
	close(ready);
	if (serve(&n, sock, &err) == 0)
		return 0;
fail:
	log_error("%s", err.msg);
	return 1;
}
