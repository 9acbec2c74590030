/* SPDX-License-Identifier: Apache-2.0
 * probe VERB [ARG ...]: finds the verb and runs it. */
#include "t/e2e/probe/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct verb verbs[] = {
    {"args", "[ARG ...]", verb_args},
    {"ask", "udp|connected|mapped|tcp ADDRESS [PORT]", verb_ask},
    {"caps", "", verb_caps},
    {"count", "", verb_count},
    {"env", "", verb_env},
    {"exit", "STATUS", verb_exit},
    {"fds", "", verb_fds},
    {"files", "DIRECTORY", verb_files},
    {"hold", "", verb_hold},
    {"ids", "", verb_ids},
    {"kill", "SIGNAL", verb_kill},
    {"limits", "", verb_limits},
    {"mounts", "", verb_mounts},
    {"orphans", "COUNT", verb_orphans},
    {"proc", "", verb_proc},
    {"setxattr", "FILE NAME VALUE", verb_setxattr},
    {"signals", "", verb_signals},
    {"stat", "FILE ...", verb_stat},
    {"syscalls", "", verb_syscalls},
    {"touch", "FILE ...", verb_touch},
    {"trap", "LAST [ignore SIGNAL]", verb_trap},
    {"tty", "", verb_tty},
    {"udp", "PORT", verb_udp},
    {"uts", "", verb_uts},
    {"winsize", "COUNT", verb_winsize},
    {"write", "FD BYTES [STATUS]", verb_write},
};

void
print_quoted(const char *s)
{
	const unsigned char *p;

	putchar('"');
	for (p = (const unsigned char *)s; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < 0x20 || *p > 0x7e)
			printf("\\x%02x", *p);
		else
			putchar(*p);
	}
	putchar('"');
}

const char *
result(long r)
{
	const char *name;

	if (r >= 0)
		return "ok";
	name = strerrorname_np(errno);
	return name != NULL ? name : "unknown errno";
}

long
arg_number(int argc, char **argv, int i, long dflt)
{
	char *end;
	long n;

	if (i >= argc)
		return dflt;
	errno = 0;
	n = strtol(argv[i], &end, 10);
	if (errno != 0 || end == argv[i] || *end != '\0') {
		fprintf(stderr, "probe: %s: not a number\n", argv[i]);
		exit(99);
	}
	return n;
}

int
main(int argc, char **argv)
{
	size_t i;
	int status;

	for (i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		status = verbs[i].run(argc - 1, argv + 1);
		if (fflush(stdout) != 0) {
			perror("probe: stdout");
			return 98;
		}
		return status;
	}
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(stderr, "usage: probe %s %s\n", verbs[i].name,
		    verbs[i].usage);
	return 99;
}
