/* SPDX-License-Identifier: Apache-2.0
 * Verbs that print what the process is: everything that a runtime promises
 * to set up before execve(2). */
#include "t/e2e/probe/probe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#define MOUNTS_MAX 256

extern char **environ;

/* Prints the lines of /proc/self/status whose key is one of keys. */
static void
print_status(const char *const *keys)
{
	char line[4096];
	FILE *f;
	size_t n;
	int i;

	f = fopen("/proc/self/status", "re");
	if (f == NULL) {
		printf("/proc/self/status: %s\n", result(-1));
		return;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		for (i = 0; keys[i] != NULL; i++) {
			n = strlen(keys[i]);
			if (strncmp(line, keys[i], n) == 0 && line[n] == ':')
				fputs(line, stdout);
		}
	}
	fclose(f);
}

int
verb_args(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		printf("arg[%d]=", i);
		print_quoted(argv[i]);
		putchar('\n');
	}
	return 0;
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted: Docker itself gives them in any order. */
int
verb_env(int argc, char **argv)
{
	size_t i, n = 0;

	(void)argc;
	(void)argv;
	while (environ[n] != NULL)
		n++;
	qsort(environ, n, sizeof(environ[0]), compare_lines);
	for (i = 0; i < n; i++) {
		print_quoted(environ[i]);
		putchar('\n');
	}
	return 0;
}

int
verb_ids(int argc, char **argv)
{
	static const char *const keys[] = {"Uid", "Gid", NULL};
	gid_t groups[NGROUPS_MAX];
	char cwd[PATH_MAX];
	mode_t mask;
	int i, n;

	(void)argc;
	(void)argv;
	print_status(keys);
	n = getgroups(NGROUPS_MAX, groups);
	printf("groups:");
	for (i = 0; i < n; i++)
		printf(" %u", groups[i]);
	mask = umask(0);
	printf("\numask: %03o\n", mask);
	printf("cwd: %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : result(-1));
	return 0;
}

int
verb_caps(int argc, char **argv)
{
	static const char *const keys[] = {"CapInh", "CapPrm", "CapEff",
	    "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
	    NULL};

	(void)argc;
	(void)argv;
	print_status(keys);
	printf("securebits: %d\n", prctl(PR_GET_SECUREBITS));
	printf("keepcaps: %d\n", prctl(PR_GET_KEEPCAPS));
	return 0;
}

int
verb_limits(int argc, char **argv)
{
	static const char *const names[] = {[RLIMIT_CPU] = "cpu",
	    [RLIMIT_FSIZE] = "fsize",
	    [RLIMIT_DATA] = "data",
	    [RLIMIT_STACK] = "stack",
	    [RLIMIT_CORE] = "core",
	    [RLIMIT_RSS] = "rss",
	    [RLIMIT_NPROC] = "nproc",
	    [RLIMIT_NOFILE] = "nofile",
	    [RLIMIT_MEMLOCK] = "memlock",
	    [RLIMIT_AS] = "as",
	    [RLIMIT_LOCKS] = "locks",
	    [RLIMIT_SIGPENDING] = "sigpending",
	    [RLIMIT_MSGQUEUE] = "msgqueue",
	    [RLIMIT_NICE] = "nice",
	    [RLIMIT_RTPRIO] = "rtprio",
	    [RLIMIT_RTTIME] = "rttime"};
	struct rlimit rl;
	size_t i;

	(void)argc;
	(void)argv;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i] == NULL || getrlimit((int)i, &rl) == -1)
			continue;
		printf("%s: %lld %lld\n", names[i], (long long)rl.rlim_cur,
		    (long long)rl.rlim_max);
	}
	return 0;
}

/* What an fd is, without the numbers that differ from run to run. */
static void
print_fd(int fd)
{
	char path[64], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	target[strcspn(target, ":[")] = '\0';
	printf("fd %d: %s%s%s\n", fd, target,
	    fcntl(fd, F_GETFL) & O_NONBLOCK ? " nonblock" : "",
	    fcntl(fd, F_GETFD) & FD_CLOEXEC ? " cloexec" : "");
}

int
verb_fds(int argc, char **argv)
{
	struct dirent *de;
	DIR *d;
	int fd;

	(void)argc;
	(void)argv;
	d = opendir("/proc/self/fd");
	if (d == NULL) {
		printf("/proc/self/fd: %s\n", result(-1));
		return 1;
	}
	while ((de = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)de->d_name[0]))
			continue;
		fd = atoi(de->d_name);
		if (fd != dirfd(d))
			print_fd(fd);
	}
	closedir(d);
	return 0;
}

int
verb_signals(int argc, char **argv)
{
	static const char *const keys[] = {
	    "SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd", NULL};
	int sig = 0;

	(void)argc;
	(void)argv;
	print_status(keys);
	prctl(PR_GET_PDEATHSIG, &sig);
	printf("pdeathsig: %d\n", sig);
	return 0;
}

int
verb_tty(int argc, char **argv)
{
	struct termios t;
	const char *name;
	int fd;

	(void)argc;
	(void)argv;
	for (fd = 0; fd < 3; fd++) {
		name = ttyname(fd);
		printf("fd %d: %s\n", fd, name != NULL ? name : result(-1));
		if (tcgetattr(fd, &t) == -1)
			continue;
		printf("iflag %x oflag %x cflag %x lflag %x\n", t.c_iflag,
		    t.c_oflag, t.c_cflag, t.c_lflag);
	}
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	printf("/dev/tty: %s\n", result(fd));
	printf("foreground: %s\n",
	    fd >= 0 && tcgetpgrp(fd) == getpgrp() ? "yes" : "no");
	return 0;
}

int
verb_uts(int argc, char **argv)
{
	struct utsname u;

	(void)argc;
	(void)argv;
	uname(&u);
	printf("sysname: %s\nnodename: %s\ndomainname: %s\nmachine: %s\n",
	    u.sysname, u.nodename, u.domainname, u.machine);
	return 0;
}

int
verb_proc(int argc, char **argv)
{
	char buf[256];
	ssize_t n;
	int fd;

	(void)argc;
	(void)argv;
	printf("pid %d ppid %d pgrp %d sid %d\n", getpid(), getppid(),
	    getpgrp(), getsid(0));
	printf("nice %d policy %d personality %x dumpable %d\n",
	    getpriority(PRIO_PROCESS, 0), sched_getscheduler(0),
	    personality(0xffffffff), prctl(PR_GET_DUMPABLE));
	printf("subreaper: %d\n", prctl(PR_GET_CHILD_SUBREAPER, &(int){0}));
	fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	printf("oom_score_adj: %s", buf);
	n = readlink("/proc/1/exe", buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	printf("/proc/1/exe: %s\n", buf);
	return 0;
}

/* proc_pid_mountinfo(5): fields 5 and 6, then after " - " the type. */
static char *
mount_line(char *line)
{
	char *field[6], *save, *p, *type, *out;
	int i;

	p = strstr(line, " - ");
	if (p == NULL)
		return NULL;
	*p = '\0';
	type = strtok_r(p + 3, " ", &save);
	for (i = 0, p = line; i < 6; i++, p = NULL)
		field[i] = strtok_r(p, " ", &save);
	if (type == NULL || field[4] == NULL || field[5] == NULL)
		return NULL;
	if (asprintf(&out, "%s %s %s", field[4], type, field[5]) == -1)
		return NULL;
	return out;
}

int
verb_mounts(int argc, char **argv)
{
	char line[8192], *lines[MOUNTS_MAX];
	size_t i, n = 0;
	FILE *f;

	(void)argc;
	(void)argv;
	f = fopen("/proc/self/mountinfo", "re");
	if (f == NULL) {
		printf("/proc/self/mountinfo: %s\n", result(-1));
		return 1;
	}
	while (n < MOUNTS_MAX && fgets(line, sizeof(line), f) != NULL) {
		lines[n] = mount_line(line);
		if (lines[n] != NULL)
			n++;
	}
	fclose(f);
	qsort(lines, n, sizeof(lines[0]), compare_lines);
	for (i = 0; i < n; i++) {
		puts(lines[i]);
		free(lines[i]);
	}
	return 0;
}
