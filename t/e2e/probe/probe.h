/* SPDX-License-Identifier: Apache-2.0
 * The verbs of the probe, the program that the end-to-end tests run inside
 * containers: each prints what it saw or did in a form that is the same from
 * run to run, so that two runtimes can be compared by text. */
#ifndef T_E2E_PROBE_PROBE_H
#define T_E2E_PROBE_PROBE_H

#include <stddef.h>

struct verb {
	const char *name;
	const char *usage;
	int (*run)(int argc, char **argv); /* argv[0] is the verb */
};

/* Prints s in double quotes; what is not printable ASCII as \xNN. */
void print_quoted(const char *s);

/* "ok" or the name of errno, the way the file verbs report a result. */
const char *result(long r);

/* Number of argv[i], or dflt when there are not so many; exits when it is not
 * a number. */
long arg_number(int argc, char **argv, int i, long dflt);

/* state.c: what the process is */
int verb_args(int argc, char **argv);
int verb_caps(int argc, char **argv);
int verb_env(int argc, char **argv);
int verb_fds(int argc, char **argv);
int verb_ids(int argc, char **argv);
int verb_limits(int argc, char **argv);
int verb_mounts(int argc, char **argv);
int verb_proc(int argc, char **argv);
int verb_signals(int argc, char **argv);
int verb_tty(int argc, char **argv);
int verb_uts(int argc, char **argv);

/* act.c: what it can do with streams, signals and children */
int verb_count(int argc, char **argv);
int verb_exit(int argc, char **argv);
int verb_hold(int argc, char **argv);
int verb_kill(int argc, char **argv);
int verb_orphans(int argc, char **argv);
int verb_trap(int argc, char **argv);
int verb_ask(int argc, char **argv);
int verb_udp(int argc, char **argv);
int verb_winsize(int argc, char **argv);
int verb_write(int argc, char **argv);

/* file.c: what a file system does */
int verb_files(int argc, char **argv);
int verb_setxattr(int argc, char **argv);
int verb_stat(int argc, char **argv);
int verb_touch(int argc, char **argv);

/* syscall.c: what the kernel and the filter allow */
int verb_syscalls(int argc, char **argv);

#endif
