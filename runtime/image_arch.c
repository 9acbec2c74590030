/* SPDX-License-Identifier: Apache-2.0
 * For which machine an image is.
 *
 * Nothing is decided here but which kernel the guest boots: an image that
 * tells lies gets a guest that cannot run it. Its files are opened as
 * runtime/in_root.h says, and of each only the first bytes are read. */
#include "runtime/image_arch.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "runtime/in_root.h"
#include "runtime/path.h"
#include "runtime/xalloc.h"

#define HEAD 256  /* a script's first line, execve(2); an ELF header */
#define SCRIPTS 5 /* interpreters that are scripts, execve(2) */
#define PATH_DIRS 64

/* Shells, then dynamic loaders: an image without the first has programs
 * that need the second. */
static const char *const well_known[] = {"/bin/sh", "/bin/busybox", "/bin/bash",
    "/usr/bin/env", "/lib64/ld-linux-x86-64.so.2", "/lib/ld64.so.1",
    "/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-s390x.so.1",
    "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-aarch64.so.1"};

/* PATH of a process that has none, as execvp(3) */
static const char default_path[] = "/bin:/usr/bin";

static size_t
read_head(int fd, unsigned char *head, size_t size)
{
	size_t n = 0;
	ssize_t r;

	while (n < size && (r = read(fd, head + n, size - n)) > 0)
		n += (size_t)r;
	return n;
}

/* "#!" and the interpreter's path, execve(2); it is put into head itself. */
static const char *
interpreter(char *head, size_t n)
{
	char *p;

	if (n < 3 || memcmp(head, "#!", 2) != 0)
		return NULL;
	head[n] = '\0';
	head[strcspn(head, "\n")] = '\0';
	p = head + 2 + strspn(head + 2, " \t");
	p[strcspn(p, " \t")] = '\0';
	return p[0] == '/' ? p : NULL;
}

static bool
look(int root, const char *path, struct image_arch *out)
{
	AUTO_FREE char *at = xstrdup(path);

	for (int i = 0; i <= SCRIPTS; i++) {
		AUTO_CLOSE int fd = in_root_open_file(root, at);
		unsigned char head[HEAD + 1];
		const char *next;
		size_t n;

		if (fd == -1)
			return false;
		n = read_head(fd, head, HEAD);
		if (elf_arch(head, n, out->name) == 0) {
			snprintf(out->file, sizeof(out->file), "%s", at);
			return true;
		}
		if ((next = interpreter((char *)head, n)) == NULL)
			return false;
		free(at);
		at = xstrdup(next);
	}
	return false;
}

static const char *
path_of(struct json_object *process)
{
	AUTO_FREE const char **env = NULL;
	const char *path = default_path;
	size_t n;

	if (json_opt_strv(process, "process", "env", &env, &n, NULL) == -1)
		return default_path;
	for (size_t i = 0; i < n; i++)
		if (strncmp(env[i], "PATH=", 5) == 0)
			path = env[i] + 5;
	return path;
}

/* A name without a slash: as the guest looks for it. */
static bool
look_in_path(
    int root, const char *name, const char *path, struct image_arch *out)
{
	for (int i = 0; i < PATH_DIRS && path != NULL; i++) {
		size_t n = strcspn(path, ":");
		AUTO_FREE char *file = xasprintf("%.*s/%s", (int)n, path, name);

		if (path[0] == '/' && look(root, file, out))
			return true;
		path = path[n] == ':' ? path + n + 1 : NULL;
	}
	return false;
}

static bool
look_at_entry(int root, struct json_object *process, struct image_arch *out)
{
	AUTO_FREE const char **args = NULL;
	AUTO_FREE char *file = NULL;
	const char *cwd = "/";
	size_t n;

	if (process == NULL ||
	    json_opt_strv(process, "process", "args", &args, &n, NULL) == -1 ||
	    json_opt_str(process, "process", "cwd", &cwd, NULL) == -1 || n == 0)
		return false;
	if (strchr(args[0], '/') == NULL)
		return look_in_path(root, args[0], path_of(process), out);
	file = path_join(cwd, args[0]);
	return look(root, file, out);
}

void
image_arch_find(
    const char *rootfs, struct json_object *process, struct image_arch *out)
{
	AUTO_CLOSE int root = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);

	*out = (struct image_arch){.name = ""};
	if (root == -1 || look_at_entry(root, process, out))
		return;
	for (size_t i = 0; i < sizeof(well_known) / sizeof(*well_known); i++)
		if (look(root, well_known[i], out))
			return;
	*out = (struct image_arch){.name = ""};
}

void
image_arch_of_file(const char *path, struct image_arch *out)
{
	AUTO_CLOSE int fd = in_root_open_host_file(path);
	unsigned char head[HEAD];

	*out = (struct image_arch){.name = ""};
	if (fd != -1 &&
	    elf_arch(head, read_head(fd, head, HEAD), out->name) == 0)
		snprintf(out->file, sizeof(out->file), "%s", path);
}
