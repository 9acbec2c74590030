/* SPDX-License-Identifier: Apache-2.0
 * The agent's program as the kernel's modprobe (/proc/sys/kernel/modprobe). */
#ifndef GUEST_AGENT_MODPROBE_H
#define GUEST_AGENT_MODPROBE_H

#include <stdbool.h>

#include "lib/err.h"

/* argv0 is a path of modprobe. */
bool modprobe_is_me(const char *argv0);

/* modprobe [-q] [--] NAME: exit code 0 when the module, or a module of that
 * alias, was loaded from the share's module tree. */
int modprobe_main(int argc, char **argv);

/* The same, in the agent. */
int modprobe_load(const char *name, struct err *err);

/* The same with the tree of one kernel in the folder dir; for each file to
 * load, dependencies first, load is called with its path below dir. */
int modprobe_resolve(const char *dir, const char *name,
    int (*load)(void *arg, const char *file, struct err *err), void *arg,
    struct err *err);

#endif
