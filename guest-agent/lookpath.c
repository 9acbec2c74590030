/* SPDX-License-Identifier: Apache-2.0
 * The program that args[0] names. */
#include "guest-agent/lookpath.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char *
env_value(const char *const *env, const char *name)
{
	size_t len = strlen(name);
	const char *value = NULL;

	for (; *env != NULL; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			value = *env + len + 1;
	return value;
}

const char *
reason(int error, char *buf, size_t size)
{
	snprintf(buf, size, "%s", strerror(error));
	buf[0] = (char)tolower((unsigned char)buf[0]);
	return buf;
}

uint32_t
code_of(int error)
{
	switch (error) {
	case ENOENT:
		return 127;
	case EACCES:
	case EISDIR:
		return 126;
	default:
		return 125;
	}
}

/* 0, or an errno; *missing: it is stat that failed. */
static int
is_executable(const char *path, int *missing)
{
	struct stat st;

	*missing = 0;
	if (stat(path, &st) == -1) {
		*missing = 1;
		return errno;
	}
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return (st.st_mode & 0111) != 0 ? 0 : EACCES;
}

static int
look_at(
    const char *file, char *out, size_t size, uint32_t *code, struct err *err)
{
	char why[128];
	int missing, e;

	if ((size_t)snprintf(out, size, "%s", file) >= size)
		e = ENAMETOOLONG;
	else
		e = is_executable(out, &missing);
	if (e == 0)
		return 0;
	*code = code_of(e);
	if (e != ENAMETOOLONG && missing)
		return err_set(err, "exec: \"%s\": stat %s: %s", file, file,
		    reason(e, why, sizeof(why)));
	return err_set(
	    err, "exec: \"%s\": %s", file, reason(e, why, sizeof(why)));
}

int
lookpath(const char *file, const char *const *env, char *out, size_t size,
    uint32_t *code, struct err *err)
{
	const char *path = env_value(env, "PATH"), *end;
	int missing;

	if (strchr(file, '/') != NULL)
		return look_at(file, out, size, code, err);
	*code = 127;
	for (; path != NULL && *path != '\0';
	     path = *end != '\0' ? end + 1 : end) {
		int len = (int)strcspn(path, ":");

		end = path + len;
		if (file[0] == '\0' ||
		    (size_t)snprintf(out, size, "%.*s/%s", len > 0 ? len : 1,
			len > 0 ? path : ".", file) >= size ||
		    is_executable(out, &missing) != 0)
			continue;
		/* what the working directory holds was not asked for */
		if (out[0] != '/') {
			*code = 125;
			return err_set(err,
			    "exec: \"%s\": cannot run executable found "
			    "relative to current directory",
			    file);
		}
		return 0;
	}
	return err_set(
	    err, "exec: \"%s\": executable file not found in $PATH", file);
}
