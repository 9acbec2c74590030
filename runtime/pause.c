/* SPDX-License-Identifier: Apache-2.0
 * The commands pause and resume, and what state says of a paused VM. */
#include "runtime/pause.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/vm_spec.h"
#include "runtime/bundle.h"
#include "runtime/cli.h"
#include "runtime/delegate.h"
#include "runtime/state.h"
#include "runtime/vm_procs.h"

static bool
is_ours(const struct state *s)
{
	struct bundle b = {.fd = -1};
	struct err err;
	bool ours =
	    s->pid > 0 && bundle_open(&b, s->bundle, &err) == 0 && b.saved;

	bundle_close(&b);
	return ours;
}

static int
carry_out(struct cli *cli, int (*change)(pid_t pid, bool paused, struct err *),
    struct err *err)
{
	AUTO_FREE char *delegate = delegate_find(cli->settings.runc, err);
	struct state s;
	int r;

	if (delegate == NULL)
		return -1;
	if (cli->id == NULL)
		return delegate_exec(delegate, cli, STDERR_FILENO, err);
	if (vm_id_check(cli->id, err) == -1)
		return err_prefix(err, "container id");
	if (state_get(delegate, cli, &s, err) == -1)
		return -1;
	r = is_ours(&s) ? change(s.pid, vm_procs_stopped(s.pid), err)
			: delegate_exec(delegate, cli, STDERR_FILENO, err);
	state_free(&s);
	return r == -1 ? err_prefix(err, "%s", cli->command) : 0;
}

static int
stop(pid_t pid, bool paused, struct err *err)
{
	return paused ? err_set(err, "the container is paused already")
		      : vm_procs_stop(pid, err);
}

static int
go_on(pid_t pid, bool paused, struct err *err)
{
	return paused ? vm_procs_continue(pid, err)
		      : err_set(err, "the container is not paused");
}

int
pause_exec(struct cli *cli, struct err *err)
{
	return carry_out(cli, stop, err);
}

int
resume_exec(struct cli *cli, struct err *err)
{
	return carry_out(cli, go_on, err);
}

/* What the delegate printed, or the same with another status. */
static int
print_state(const struct buf *text, struct err *err)
{
	AUTO_JSON struct json_object *o = NULL;
	struct state s;

	if (state_parse(text, &o, &s, err) == -1)
		return -1;
	if (is_ours(&s) && vm_procs_stopped(s.pid)) {
		json_object_object_add(
		    o, "status", json_object_new_string("paused"));
		puts(json_object_to_json_string_ext(o,
		    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			JSON_C_TO_STRING_NOSLASHESCAPE));
	} else {
		fwrite(buf_data(text), 1, buf_len(text), stdout);
	}
	state_free(&s);
	return 0;
}

int
state_exec(struct cli *cli, struct err *err)
{
	AUTO_FREE char *delegate = delegate_find(cli->settings.runc, err);
	struct buf text;
	int r;

	if (delegate == NULL)
		return -1;
	if (cli->id == NULL)
		return delegate_exec(delegate, cli, STDERR_FILENO, err);
	buf_init(&text, STATE_MAX);
	r = state_query(delegate, cli, &text, err);
	if (r == 0)
		r = print_state(&text, err);
	buf_free(&text);
	return r;
}
