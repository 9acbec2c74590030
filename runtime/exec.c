/* SPDX-License-Identifier: Apache-2.0
 * The command exec: a process in the guest of a running container.
 *
 * The delegate starts a relay in the VM's container, which leads to the guest:
 * it gets the process on RELAY_PROCESS_FD, the terminal or the pipes and all
 * else that an engine expects of exec from the delegate.
 *
 * With --process, which is how engines call us and only for containers that
 * are ours, nothing is asked before: a container without a relay then fails
 * with the delegate's own sentence. Without it, and for a process that leaves
 * its capabilities to the container, the delegate is asked for the bundle;
 * a container that is not ours is left to the delegate altogether. */
#include "runtime/exec.h"

#include <fcntl.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/relay.h"
#include "lib/vm_spec.h"
#include "lib/wire.h"
#include "runtime/bundle.h"
#include "runtime/cli.h"
#include "runtime/console.h"
#include "runtime/delegate.h"
#include "runtime/exec_process.h"
#include "runtime/limits.h"
#include "runtime/memfd.h"
#include "runtime/slurp.h"
#include "runtime/state.h"
#include "runtime/xalloc.h"

/* The frame that carries it has another member or two. */
#define PROCESS_MAX (WIRE_SPEC_MAX / 2)

struct session {
	struct json_object *file; /* of --process, or NULL */
	struct bundle bundle;	  /* of the container, when it was needed */
	struct exec_processes processes;
};

static void
session_free(struct session *s)
{
	exec_processes_free(&s->processes);
	bundle_close(&s->bundle);
	json_object_put(s->file);
}

static int
load_file(struct session *s, const char *path, struct err *err)
{
	AUTO_FREE char *what = xasprintf("exec: --process %.256s", path);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct buf b;
	int r;

	if (fd == -1)
		return err_sys(err, "%s", what);
	buf_init(&b, PROCESS_MAX);
	r = slurp(fd, what, &b, err);
	if (r == 0) {
		s->file = json_parse(
		    (const char *)buf_data(&b), buf_len(&b), what, err);
		r = s->file == NULL ? -1 : 0;
	}
	buf_free(&b);
	return r;
}

/* The bundle's "process"; NULL and an error, or *foreign. */
static struct json_object *
load_base(struct session *s, const char *delegate, const struct cli *cli,
    bool *foreign, struct err *err)
{
	AUTO_FREE char *path = state_bundle(delegate, cli, err);
	struct json_object *process;

	if (path == NULL || bundle_open(&s->bundle, path, err) == -1)
		return NULL;
	*foreign = !s->bundle.saved;
	if (*foreign ||
	    json_need_obj(s->bundle.config, "config.json", "process", &process,
		err) == -1)
		return NULL;
	return process;
}

static const char *
text_of(struct json_object *o, size_t *len)
{
	return xcheck((void *)(uintptr_t)json_object_to_json_string_length(
	    o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len));
}

/* The guest's process for the relay; the relay's for the delegate, which is
 * to find it above the descriptors that the relay inherits. */
static int
place_processes(const struct session *s, int *relay, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	const char *text;
	size_t len;

	text = text_of(s->processes.relay, &len);
	if ((fd = memfd_make("runq-relay", text, len, err)) == -1)
		return -1;
	if ((*relay = fcntl(fd, F_DUPFD, RELAY_PROCESS_FD + 1)) == -1)
		return err_sys(err, "exec: the relay's process");
	text = text_of(s->processes.guest, &len);
	if (len > PROCESS_MAX)
		return err_set(err,
		    "exec: a process of %zu bytes, must be at most %u", len,
		    PROCESS_MAX);
	/* the first one may have been there: not closed twice */
	if (fd == RELAY_PROCESS_FD)
		take_fd(&fd);
	return memfd_place(RELAY_PROCESS_FD, "runq-process", text, len, err);
}

static void
delegate_arguments(struct cli *cli, int relay)
{
	struct strlist *to = &cli->rest;

	strlist_free(to);
	for (size_t i = 0; i < cli->exec.pass.n; i++)
		strlist_add(to, cli->exec.pass.v[i]);
	strlist_add(to, "--process");
	strlist_take(to, xasprintf("/proc/self/fd/%d", relay));
	if (cli->id[0] == '-')
		strlist_add(to, "--");
	strlist_add(to, cli->id);
}

static int
check_id(const char *id, struct err *err)
{
	if (id == NULL)
		return err_set(err, "exec: needs a container id");
	if (vm_id_check(id, err) == -1)
		return err_prefix(err, "container id");
	return 0;
}

static int
carry_out(struct session *s, struct cli *cli, struct err *err)
{
	AUTO_FREE char *delegate = delegate_find(cli->settings.runc, err);
	struct limits limits;
	struct exec_input in = {.options = &cli->exec,
	    .args = (const char *const *)cli->args,
	    .limits = &limits};
	bool foreign = false;
	int relay;

	if (delegate == NULL)
		return -1;
	if (cli->exec.help)
		return delegate_exec(delegate, cli, STDERR_FILENO, err);
	if (check_id(cli->id, err) == -1 ||
	    (cli->exec.process != NULL &&
		load_file(s, cli->exec.process, err) == -1))
		return -1;
	in.file = s->file;
	if (exec_needs_base(s->file)) {
		in.base = load_base(s, delegate, cli, &foreign, err);
		if (foreign)
			return delegate_exec(delegate, cli, STDERR_FILENO, err);
		if (in.base == NULL)
			return -1;
	}
	if (cli->exec.has_refused) {
		*err = cli->exec.refused;
		return -1;
	}
	limits_collect(&limits);
	if (exec_processes_make(&in, &s->processes, err) == -1 ||
	    place_processes(s, &relay, err) == -1)
		return -1;
	delegate_arguments(cli, relay);
	if (console_interpose(cli, err) == -1)
		return -1;
	return delegate_exec(delegate, cli, RELAY_PROCESS_FD, err);
}

int
exec_exec(struct cli *cli, struct err *err)
{
	struct session s = {.bundle = {.fd = -1}};

	if (cli->settings.noexec_all)
		return err_set(err,
		    "exec: switched off by the administrator (--noexec-all)");
	(void)carry_out(&s, cli, err);
	session_free(&s);
	return -1;
}
