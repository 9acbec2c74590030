/* SPDX-License-Identifier: Apache-2.0
 * The processes of a running VM as the host sees them: proc(5),
 * /proc/PID/task/TID/children, /proc/PID/exe and /proc/PID/stat. */
#include "runtime/vm_procs.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define START_WAIT 10 /* seconds, for QEMU of a container just started */
#define STOP_WAIT 10
#define STEP_MS 2
#define CHILDREN_MAX 16
/* supervisor, virtiofsd, the process in its sandbox */
#define DEPTH_MAX 3

/* Those of its main thread, which starts all of ours; how many. */
static size_t
children_of(pid_t pid, pid_t child[CHILDREN_MAX])
{
	char path[64];
	intmax_t one;
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%jd/task/%jd/children",
	    (intmax_t)pid, (intmax_t)pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	while (n < CHILDREN_MAX && fscanf(f, "%jd", &one) == 1)
		child[n++] = (pid_t)one;
	fclose(f);
	return n;
}

/* By its program: a process may call itself what it likes. */
static bool
is_qemu(pid_t pid)
{
	char path[64], to[PATH_MAX];
	const char *name;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%jd/exe", (intmax_t)pid);
	if ((n = readlink(path, to, sizeof(to) - 1)) == -1)
		return false;
	to[n] = '\0';
	name = strrchr(to, '/');
	return name != NULL && strncmp(name, "/qemu-system-", 13) == 0;
}

/* Behind the name, which may have any characters. '\0': it has ended. */
static char
state_of(pid_t pid)
{
	char path[64], text[128], state = '\0';
	const char *end;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%jd/stat", (intmax_t)pid);
	if ((f = fopen(path, "re")) == NULL)
		return state;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	if ((end = strrchr(text, ')')) != NULL)
		(void)sscanf(end, ") %c", &state);
	return state;
}

/* 0: there is none. */
static pid_t
find_qemu(pid_t pid)
{
	pid_t child[CHILDREN_MAX];
	size_t n = children_of(pid, child);

	for (size_t i = 0; i < n; i++)
		if (is_qemu(child[i]))
			return child[i];
	return 0;
}

static void
signal_children(pid_t pid, int signo, int depth)
{
	pid_t child[CHILDREN_MAX];
	size_t n = depth > 0 ? children_of(pid, child) : 0;

	for (size_t i = 0; i < n; i++) {
		/* one that has ended meanwhile is no failure */
		(void)kill(child[i], signo);
		signal_children(child[i], signo, depth - 1);
	}
}

bool
vm_procs_stopped(pid_t pid)
{
	pid_t qemu = find_qemu(pid);

	return qemu != 0 && state_of(qemu) == 'T';
}

/* Until QEMU is there, and stopped if that is wanted. */
static bool
await_qemu(pid_t pid, bool stopped, unsigned seconds)
{
	const struct timespec step = {0, STEP_MS * 1000000L};

	for (unsigned i = 0; i < seconds * 1000 / STEP_MS; i++) {
		if (stopped ? vm_procs_stopped(pid) : find_qemu(pid) != 0)
			return true;
		if (kill(pid, 0) == -1)
			return false;
		nanosleep(&step, NULL);
	}
	return false;
}

int
vm_procs_stop(pid_t pid, struct err *err)
{
	if (!await_qemu(pid, false, START_WAIT))
		return err_set(err, "the VM has not started");
	signal_children(pid, SIGSTOP, DEPTH_MAX);
	if (await_qemu(pid, true, STOP_WAIT))
		return 0;
	signal_children(pid, SIGCONT, DEPTH_MAX);
	return err_set(err, "QEMU does not stop");
}

int
vm_procs_continue(pid_t pid, struct err *err)
{
	if (kill(pid, 0) == -1)
		return err_sys(err, "the supervisor, pid %jd", (intmax_t)pid);
	signal_children(pid, SIGCONT, DEPTH_MAX);
	return 0;
}
