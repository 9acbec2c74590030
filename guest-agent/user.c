/* SPDX-License-Identifier: Apache-2.0
 * The user that a process becomes. */
#include "guest-agent/user.h"

#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define PASSWD_MAX (4 << 20) /* bytes of an image's file that are looked at */

int
user_become(const struct process_spec *p, struct err *err)
{
	if (setgroups(p->n_groups, p->groups) == -1)
		return err_sys(err, "set %zu additional groups", p->n_groups);
	if (setresgid(p->gid, p->gid, p->gid) == -1)
		return err_sys(err, "set group %ju", (uintmax_t)p->gid);
	if (setresuid(p->uid, p->uid, p->uid) == -1)
		return err_sys(err, "set user %ju", (uintmax_t)p->uid);
	return 0;
}

/* A regular file and nothing that blocks, whatever the image has there. */
static FILE *
open_passwd(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	FILE *f = NULL;

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_size > PASSWD_MAX || (f = fdopen(fd, "re")) == NULL)
		close(fd);
	return f;
}

/* name:password:uid:gid:gecos:home:shell */
static bool
line_home(char *line, uid_t uid, char *out, size_t size)
{
	char *field[7] = {0}, *end;
	unsigned long id;

	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < 7; i++)
		field[i] = strsep(&line, ":");
	if (field[5] == NULL || field[2][0] == '\0')
		return false;
	id = strtoul(field[2], &end, 10);
	if (*end != '\0' || id != uid)
		return false;
	if (field[5][0] == '/' && strlen(field[5]) < size)
		snprintf(out, size, "%s", field[5]);
	return true;
}

void
user_home(const char *passwd, uid_t uid, char *out, size_t size)
{
	AUTO_FCLOSE FILE *f = open_passwd(passwd);
	AUTO_FREE char *line = NULL;
	size_t cap = 0;

	snprintf(out, size, "/");
	while (f != NULL && getline(&line, &cap, f) != -1)
		if (line_home(line, uid, out, size))
			return;
}

const char **
user_environment(
    const struct process_spec *p, const char *passwd, char home[USER_HOME_MAX])
{
	const char **env = calloc(p->n_env + 2, sizeof(*env));
	size_t at = p->n_env;

	if (env == NULL)
		return NULL;
	for (size_t i = 0; i < p->n_env; i++) {
		env[i] = p->env[i];
		if (strncmp(env[i], "HOME=", 5) == 0)
			at = i;
	}
	if (env[at] != NULL && env[at][5] != '\0')
		return env;
	memcpy(home, "HOME=", 5);
	user_home(passwd, p->uid, home + 5, USER_HOME_MAX - 5);
	env[at] = home;
	return env;
}
