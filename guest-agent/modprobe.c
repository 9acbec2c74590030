/* SPDX-License-Identifier: Apache-2.0
 * The agent's program as the kernel's modprobe: when somebody mounts a file
 * system, opens a socket or asks for a cipher that is a module, the kernel
 * runs this in the agent's namespaces, where the module tree is part of the
 * share. Formats: modules.dep(5) and depmod(8). */
#include "guest-agent/modprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/paths.h"

#define NAME_SIZE 128
#define DEPENDENCIES_MAX 128
#define COMPRESSED 4 /* MODULE_INIT_COMPRESSED_FILE, finit_module(2) */

struct loader {
	int (*load)(void *arg, const char *file, struct err *err);
	void *arg;
};

bool
modprobe_is_me(const char *argv0)
{
	const char *base = strrchr(argv0, '/');

	return strcmp(base != NULL ? base + 1 : argv0, "modprobe") == 0;
}

/* The kernel takes "-" and "_" for the same. */
static void
copy_name(char *to, const char *from, size_t len)
{
	if (len >= NAME_SIZE)
		len = NAME_SIZE - 1;
	for (size_t i = 0; i < len; i++)
		to[i] = from[i] == '-' ? '_' : from[i];
	to[len] = '\0';
}

/* "kernel/fs/xfs/xfs.ko.xz" is "xfs". */
static bool
is_file_of(const char *file, size_t len, const char *name)
{
	char base[NAME_SIZE];
	const char *slash = memrchr(file, '/', len), *dot;

	if (slash != NULL) {
		len -= (size_t)(slash + 1 - file);
		file = slash + 1;
	}
	dot = memmem(file, len, ".ko", 3);
	copy_name(base, file, dot != NULL ? (size_t)(dot - file) : len);
	return strcmp(base, name) == 0;
}

static FILE *
open_table(const char *dir, const char *name, struct err *err)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((f = fopen(path, "re")) == NULL)
		err_sys(err, "%s", path);
	return f;
}

/* "FILE: DEPENDENCY...", of which the last is to be loaded first. */
static int
load_line(char *line, const struct loader *l, struct err *err)
{
	char *words[DEPENDENCIES_MAX + 1], *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(line, ": \n", &save);
	     w != NULL && n <= DEPENDENCIES_MAX;
	     w = strtok_r(NULL, ": \n", &save))
		words[n++] = w;
	while (n-- > 0)
		if (l->load(l->arg, words[n], err) == -1)
			return -1;
	return 0;
}

/* 1: loaded; 0: there is no module of that name. */
static int
load_by_name(
    const char *dir, const char *name, const struct loader *l, struct err *err)
{
	AUTO_FCLOSE FILE *f = open_table(dir, "modules.dep", err);
	AUTO_FREE char *line = NULL;
	size_t cap = 0;

	if (f == NULL)
		return -1;
	while (getline(&line, &cap, f) != -1)
		if (is_file_of(line, strcspn(line, ":"), name))
			return load_line(line, l, err) == -1 ? -1 : 1;
	return 0;
}

/* All modules of an alias: "alias PATTERN NAME". */
static int
load_by_alias(
    const char *dir, const char *name, const struct loader *l, struct err *err)
{
	AUTO_FCLOSE FILE *f = open_table(dir, "modules.alias", err);
	AUTO_FREE char *line = NULL;
	size_t cap = 0;
	int found = 0;

	if (f == NULL)
		return -1;
	while (getline(&line, &cap, f) != -1) {
		char pattern[256], module[NAME_SIZE], clean[256];
		int r;

		if (sscanf(line, "alias %255s %127s", pattern, module) != 2)
			continue;
		copy_name(clean, pattern, strlen(pattern));
		if (fnmatch(clean, name, 0) != 0)
			continue;
		if ((r = load_by_name(dir, module, l, err)) == -1)
			return -1;
		found |= r;
	}
	return found;
}

int
modprobe_resolve(const char *dir, const char *name,
    int (*load)(void *arg, const char *file, struct err *err), void *arg,
    struct err *err)
{
	const struct loader l = {load, arg};
	char clean[NAME_SIZE];
	int r;

	copy_name(clean, name, strlen(name));
	if ((r = load_by_name(dir, clean, &l, err)) == 0)
		r = load_by_alias(dir, clean, &l, err);
	if (r == 0)
		return err_set(err, "no module %.100s", name);
	return r == -1 ? -1 : 0;
}

static int
load_file(void *arg, const char *file, struct err *err)
{
	const char *dir = arg;
	AUTO_CLOSE int fd = -1;
	char path[512];
	int flags = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (strlen(file) < 3 || strcmp(file + strlen(file) - 3, ".ko") != 0)
		flags = COMPRESSED;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    (syscall(SYS_finit_module, fd, "", flags) == -1 && errno != EEXIST))
		return err_sys(err, "%s", path);
	return 0;
}

int
modprobe_load(const char *name, struct err *err)
{
	struct utsname u;
	char dir[256];

	if (uname(&u) == -1)
		return err_sys(err, "uname");
	snprintf(
	    dir, sizeof(dir), PATH_SHARE "/" SHARE_MODULES "/%s", u.release);
	return modprobe_resolve(dir, name, load_file, dir, err);
}

int
modprobe_main(int argc, char **argv)
{
	struct err err;
	int i = 1;

	while (i < argc && argv[i][0] == '-')
		i++;
	return i >= argc || modprobe_load(argv[i], &err) == -1;
}
