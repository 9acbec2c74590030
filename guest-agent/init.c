/* SPDX-License-Identifier: Apache-2.0
 * PID 1 of the VM: mounts what a kernel offers, loads the base modules, runs
 * the agent. When the agent ends, so does the VM. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-agent/agent.h"
#include "guest-agent/modprobe.h"
#include "guest-agent/modules.h"
#include "lib/cleanup.h"
#include "lib/err.h"
#include "lib/log.h"

static const struct {
	const char *type, *path, *data;
	unsigned long flags;
} mounts[] = {
    {"devtmpfs", "/dev", "mode=0755", MS_NOSUID},
    {"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"cgroup2", "/sys/fs/cgroup", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
};

static int
mount_all(struct err *err)
{
	for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
		mkdir(mounts[i].path, 0755);
		/* EBUSY: the kernel did it (CONFIG_DEVTMPFS_MOUNT) */
		if (mount(mounts[i].type, mounts[i].path, mounts[i].type,
			mounts[i].flags, mounts[i].data) == -1 &&
		    errno != EBUSY)
			return err_sys(err, "mount %s", mounts[i].path);
	}
	return 0;
}

/* The guest's OOM killer takes the container's processes, not us. */
static void
survive_oom(void)
{
	AUTO_CLOSE int fd =
	    open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd != -1)
		(void)!write(fd, "-1000", 5);
}

/* RLIMIT_NOFILE may be as high as the host of the engine has it: the largest
 * value that a kernel takes, proc_sys_fs(5). */
static void
allow_descriptors(void)
{
	AUTO_CLOSE int fd = open("/proc/sys/fs/nr_open", O_WRONLY | O_CLOEXEC);

	if (fd != -1)
		(void)!write(fd, "2147483584", 10);
}

/* 0, 1 and 2 are the console, so that nothing else can get these numbers. */
static void
open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd == -1)
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < STDERR_FILENO)
		fd = dup(fd);
}

static int
init_run(struct err *err)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	umask(0022);
	if (mount_all(err) == -1)
		return -1;
	survive_oom();
	allow_descriptors();
	if (modules_load("base", err) == -1)
		return -1;
	return agent_run(err);
}

int
main(int argc, char **argv)
{
	struct err err;

	if (argc > 0 && modprobe_is_me(argv[0]))
		return modprobe_main(argc, argv);
	close(0);
	close(1);
	close(2);
	open_console();
	log_init("init", STDERR_FILENO, LOG_LEVEL_WARN);
	if (getpid() != 1) {
		log_error("this program is PID 1 of a runq VM");
		return 1;
	}
	if (init_run(&err) == -1)
		log_error("%s", err.msg);
	sync();
	reboot(RB_AUTOBOOT); /* QEMU runs with -no-reboot: it ends */
	for (;;)
		pause();
}
