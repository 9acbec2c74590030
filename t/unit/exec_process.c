/* SPDX-License-Identifier: Apache-2.0
 * The two processes of exec against golden files. With T_UPDATE=1 in the
 * environment they are rewritten: look at the difference before it is
 * committed. */
#include "runtime/exec_process.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "runtime/cli.h"
#include "runtime/jbuild.h"
#include "runtime/limits.h"
#include "t/tap.h"
#include "t/unit/derive_case.h"

#define PRETTY                                                                 \
	(JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |                   \
	    JSON_C_TO_STRING_NOSLASHESCAPE)
#define ARGS_MAX 64

static size_t
add_args(char **argv, size_t n, struct json_object *a)
{
	for (size_t i = 0;
	     a != NULL && n < ARGS_MAX - 1 && i < json_object_array_length(a);
	     i++)
		argv[n++] = (char *)(uintptr_t)json_object_get_string(
		    json_object_array_get_idx(a, i));
	return n;
}

static struct json_object *
make(struct json_object *c, const struct cli *cli, struct err *err)
{
	struct json_object *o = jb_obj();
	struct exec_processes p;
	struct limits limits;

	case_limits(json_object_object_get(c, "limits"), &limits);
	if (exec_processes_make(
		&(struct exec_input){
		    .options = &cli->exec,
		    .args = (const char *const *)cli->args,
		    .file = json_object_object_get(c, "file"),
		    .base = json_object_object_get(c, "base"),
		    .limits = &limits,
		},
		&p, err) == -1) {
		jb_str(o, "error", err->msg);
	} else {
		jb_share(o, "guest", p.guest);
		jb_share(o, "relay", p.relay);
	}
	exec_processes_free(&p);
	return o;
}

/* {"guest": ..., "relay": ...} or {"error": ...}; a case has a base exactly
 * when one is asked for. */
static struct json_object *
run_case(struct json_object *c, const char *name)
{
	char *argv[ARGS_MAX] = {(char *)"runq", (char *)"exec"};
	struct json_object *o = NULL;
	struct err err = {""};
	struct cli cli;
	size_t n = 2;

	n = add_args(argv, n, json_object_object_get(c, "argv"));
	argv[n++] = (char *)"id";
	n = add_args(argv, n, json_object_object_get(c, "args"));
	is_int(cli_parse(&cli, (int)n, argv, &err), 0, name);
	is_int(exec_needs_base(json_object_object_get(c, "file")),
	    json_object_object_get(c, "base") != NULL,
	    "whether the container's process is needed");
	o = make(c, &cli, &err);
	cli_free(&cli);
	return o;
}

static void
run_file(const char *path, bool update)
{
	AUTO_JSON struct json_object *c = case_load(path);
	AUTO_JSON struct json_object *got = NULL;
	const char *name = strrchr(path, '/') + 1;

	if (!ok(c != NULL, "%s can be read", name))
		return;
	got = run_case(c, name);
	if (update) {
		jb_share(c, "expect", got);
		json_object_to_file_ext(path, c, PRETTY);
		skip(name, "rewritten");
		return;
	}
	if (!ok(json_object_equal(got, json_object_object_get(c, "expect")),
		"%s", name))
		printf("# got %s\n", json_object_to_json_string(got));
}

int
main(void)
{
	char **files = case_files("golden-exec");
	size_t n = 0;

	for (char **f = files; *f != NULL; f++, n++)
		run_file(*f, getenv("T_UPDATE") != NULL);
	ok(n >= 20, "%zu cases, at least 20", n);
	case_files_free(files);
	return done_testing();
}
