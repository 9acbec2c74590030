/* SPDX-License-Identifier: Apache-2.0
 * The OCI runtime (runc, crun) that this program becomes. */
#include "runtime/delegate.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "runtime/cli.h"
#include "runtime/xalloc.h"

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0;
}

char *
delegate_find(const char *name, struct err *err)
{
	const char *p = getenv("PATH");

	if (strchr(name, '/') != NULL) {
		if (is_program(name))
			return xstrdup(name);
		err_set(err, "--runc %.512s: not an executable file", name);
		return NULL;
	}
	if (p == NULL || p[0] == '\0')
		p = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
		    "/bin";
	for (;;) {
		size_t n = strcspn(p, ":");
		char *path = xasprintf("%.*s/%s", (int)n, p, name);

		/* only absolute ones: not the directory we happen to be in */
		if (path[0] == '/' && n > 0 && is_program(path))
			return path;
		free(path);
		p += n;
		if (*p++ == '\0')
			break;
	}
	err_set(err,
	    "--runc: no \"%.256s\" in PATH; install runc or crun, or give its "
	    "path",
	    name);
	return NULL;
}

int
delegate_exec(
    const char *path, const struct cli *cli, int last_fd, struct err *err)
{
	struct strlist argv = {0};

	strlist_add(&argv, path);
	for (size_t i = 0; i < cli->global.n; i++)
		strlist_add(&argv, cli->global.v[i]);
	if (cli->command != NULL)
		strlist_add(&argv, cli->command);
	if (last_fd > STDERR_FILENO) {
		strlist_add(&argv, "--preserve-fds");
		strlist_take(&argv, xasprintf("%d", last_fd - STDERR_FILENO));
		/* the supervisor tells no service manager of the host that it
		 * is ready, and its fds are not sockets to listen on */
		unsetenv("NOTIFY_SOCKET");
		unsetenv("LISTEN_FDS");
		unsetenv("LISTEN_PID");
		unsetenv("LISTEN_FDNAMES");
	}
	for (size_t i = 0; i < cli->rest.n; i++)
		strlist_add(&argv, cli->rest.v[i]);
	execv(path, argv.v);
	err_sys(err, "exec %.512s", path);
	strlist_free(&argv);
	return -1;
}
