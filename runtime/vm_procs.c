/* SPDX-License-Identifier: Apache-2.0
 * The processes of a running VM as the host sees them: proc(5),
 * /proc/PID/task/TID/children and /proc/PID/stat. */
#include "runtime/vm_procs.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/cleanup.h"

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

/* Name (16 bytes) and state of a process; a name may have any characters. */
static bool
look(pid_t pid, char name[16], char *state)
{
	char path[64], text[128], *end;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%jd/stat", (intmax_t)pid);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return sscanf(text, "%*d (%15[^)]", name) == 1 &&
	    (end = strrchr(text, ')')) != NULL &&
	    sscanf(end, ") %c", state) == 1;
}

/* 0: there is none. */
static pid_t
find_qemu(pid_t pid, char *state)
{
	pid_t child[CHILDREN_MAX];
	size_t n = children_of(pid, child);
	char name[16];

	for (size_t i = 0; i < n; i++)
		if (look(child[i], name, state) &&
		    strncmp(name, "qemu-", 5) == 0)
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

/* Until QEMU is there, and in state "T" if stopped is wanted. */
static bool
await_qemu(pid_t pid, bool stopped, unsigned seconds)
{
	const struct timespec step = {0, STEP_MS * 1000000L};

	for (unsigned i = 0; i < seconds * 1000 / STEP_MS; i++) {
		char state;

		if (find_qemu(pid, &state) != 0 && (!stopped || state == 'T'))
			return true;
		if (kill(pid, 0) == -1)
			return false;
		nanosleep(&step, NULL);
	}
	return false;
}

bool
vm_procs_stopped(pid_t pid)
{
	char state;

	return find_qemu(pid, &state) != 0 && state == 'T';
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
