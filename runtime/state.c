/* SPDX-License-Identifier: Apache-2.0
 * Asking the delegate about a container (runtime-spec runtime.md, "Query
 * State"). */
#include "runtime/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "runtime/cli.h"
#include "runtime/slurp.h"
#include "runtime/xalloc.h"

static _Noreturn void
become(const char *delegate, const struct cli *cli, int out)
{
	struct strlist argv = {0};

	strlist_add(&argv, delegate);
	for (size_t i = 0; i < cli->global.n; i++)
		strlist_add(&argv, cli->global.v[i]);
	strlist_add(&argv, "state");
	if (cli->id[0] == '-')
		strlist_add(&argv, "--");
	strlist_add(&argv, cli->id);
	if (dup2(out, STDOUT_FILENO) != -1)
		execv(delegate, argv.v);
	_exit(127);
}

/* Waits for the child also after an error: closing the pipe ends it. */
static int
collect(pid_t pid, int *fd, struct buf *b, struct err *err)
{
	int r = slurp(*fd, "state", b, err), status;

	close(take_fd(fd));
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return err_sys(err, "state: waitpid");
	if (r == 0 && status != 0) {
		/* it has said why */
		err->msg[0] = '\0';
		return -1;
	}
	return r;
}

int
state_query(
    const char *delegate, const struct cli *cli, struct buf *b, struct err *err)
{
	AUTO_CLOSE int in = -1, out = -1;
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) == -1)
		return err_sys(err, "state: pipe");
	in = p[0];
	out = p[1];
	if ((pid = fork()) == -1)
		return err_sys(err, "state: fork");
	if (pid == 0)
		become(delegate, cli, out);
	close(take_fd(&out));
	return collect(pid, &in, b, err);
}

int
state_parse(const struct buf *b, struct json_object **doc, struct state *s,
    struct err *err)
{
	AUTO_JSON struct json_object *o = NULL;
	const char *path = NULL;
	int64_t pid = 0;

	if ((o = json_parse((const char *)buf_data(b), buf_len(b), "state",
		 err)) == NULL ||
	    json_need_str(o, "state", "bundle", &path, err) == -1 ||
	    json_opt_int(o, "state", "pid", 0, INT32_MAX, &pid, err) == -1)
		return -1;
	if (path[0] != '/')
		return err_set(err,
		    "state.bundle: \"%.256s\" is not an absolute path", path);
	*s = (struct state){.bundle = xstrdup(path), .pid = (pid_t)pid};
	*doc = o;
	o = NULL;
	return 0;
}

int
state_get(const char *delegate, const struct cli *cli, struct state *s,
    struct err *err)
{
	AUTO_JSON struct json_object *doc = NULL;
	struct buf b;
	int r;

	*s = (struct state){0};
	buf_init(&b, STATE_MAX);
	r = state_query(delegate, cli, &b, err);
	if (r == 0)
		r = state_parse(&b, &doc, s, err);
	buf_free(&b);
	return r;
}

void
state_free(struct state *s)
{
	free(s->bundle);
	*s = (struct state){0};
}

char *
state_bundle(const char *delegate, const struct cli *cli, struct err *err)
{
	struct state s;

	return state_get(delegate, cli, &s, err) == -1 ? NULL : s.bundle;
}
