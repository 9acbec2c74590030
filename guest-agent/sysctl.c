/* SPDX-License-Identifier: Apache-2.0
 * Kernel parameters by their sysctl(8) names. */
#include "guest-agent/sysctl.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"

static bool
is_component(const char *s, size_t len)
{
	if (len == 0 || (len == 1 && s[0] == '.') ||
	    (len == 2 && s[0] == '.' && s[1] == '.'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) &&
		    (s[i] == '\0' || strchr("_.-", s[i]) == NULL))
			return false;
	return true;
}

/* The separator that comes first is the separator. */
int
sysctl_path(const char *name, char *out, size_t size, struct err *err)
{
	size_t first = strcspn(name, "./");
	bool dots = name[first] == '.';
	size_t len = strlen(name), used;

	used = (size_t)snprintf(out, size, "sys/%s", name);
	if (used >= size)
		return err_set(err, "sysctl \"%.64s\": name too long", name);
	for (char *p = out + 4; dots && *p != '\0'; p++)
		if (*p == '.')
			*p = '/';
		else if (*p == '/')
			*p = '.';
	for (const char *p = out + 4; p <= out + 4 + len;) {
		size_t n = strcspn(p, "/");

		if (!is_component(p, n))
			return err_set(err,
			    "sysctl \"%.256s\" is not a name (allowed: "
			    "letters, digits, \"_\", \"-\", between dots)",
			    name);
		p += n + 1;
	}
	return 0;
}

int
sysctl_write(int proc, const char *name, const char *value, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	char path[PATH_MAX];

	if (sysctl_path(name, path, sizeof(path), err) == -1)
		return -1;
	fd = openat(proc, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return err_sys(
		    err, "sysctl \"%.256s\": open /proc/%.256s", name, path);
	if (write(fd, value, strlen(value)) == -1)
		return err_sys(err,
		    "sysctl \"%.256s\": write \"%.64s\" to /proc/%.256s", name,
		    value, path);
	return 0;
}
