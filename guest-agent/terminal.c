/* SPDX-License-Identifier: Apache-2.0
 * The pty of a process. */
#include "guest-agent/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "guest-agent/mnt.h"
#include "lib/cleanup.h"

#define PTMX "/dev/pts/ptmx"
#define CONSOLE "/dev/console"

/* The image or the container may have put anything there: it must be devpts,
 * and nothing that blocks. */
static int
open_ptmx(struct err *err)
{
	AUTO_CLOSE int fd =
	    open(PTMX, O_RDWR | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct statfs fs;

	if (fd == -1 || fstatfs(fd, &fs) == -1)
		return err_sys(err, "terminal: open " PTMX);
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_set(err, "terminal: " PTMX " is not of devpts");
	return take_fd(&fd);
}

int
terminal_open(uid_t uid, uint32_t rows, uint32_t columns, int *master,
    int *slave, struct err *err)
{
	struct winsize w = {
	    .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
	AUTO_CLOSE int ptm = open_ptmx(err), pts = -1;
	int unlock = 0;

	if (ptm == -1)
		return -1;
	if (ioctl(ptm, TIOCSPTLCK, &unlock) == -1)
		return err_sys(err, "terminal: unlock");
	pts = ioctl(ptm, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pts == -1)
		return err_sys(err, "terminal: open slave");
	if ((rows != 0 || columns != 0) && ioctl(ptm, TIOCSWINSZ, &w) == -1)
		return err_sys(err, "terminal: size");
	/* group and mode are the options of the devpts mount */
	if (fchown(pts, uid, (gid_t)-1) == -1)
		return err_sys(err, "terminal: owner");
	*master = take_fd(&ptm);
	*slave = take_fd(&pts);
	return 0;
}

int
terminal_take(int slave, struct err *err)
{
	if (ioctl(slave, TIOCSCTTY, 0) == -1)
		return err_sys(err, "terminal: make it the controlling one");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(slave, fd) == -1)
			return err_sys(err, "terminal: dup2");
	return 0;
}

int
terminal_console(int slave, struct err *err)
{
	AUTO_CLOSE int made = -1, target = -1, mnt = -1;

	made = open(CONSOLE,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC,
	    0600);
	if (made == -1 && errno != EEXIST)
		return err_sys(err, "make " CONSOLE);
	target = open(CONSOLE, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target == -1)
		return err_sys(err, "open " CONSOLE);
	if ((mnt = mnt_clone(slave, "", false, err)) == -1 ||
	    mnt_attach(mnt, target, err) == -1)
		return err_prefix(err, CONSOLE);
	return 0;
}
