/* SPDX-License-Identifier: Apache-2.0
 * Derivation against golden files. With T_UPDATE=1 in the environment they
 * are rewritten: look at the difference before it is committed. */
#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "runtime/jbuild.h"
#include "t/tap.h"
#include "t/unit/derive_case.h"

#define PRETTY                                                                 \
	(JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |                   \
	    JSON_C_TO_STRING_NOSLASHESCAPE)

/* As TAP comments, one line of JSON a line. */
static void
show(const char *what, struct json_object *o)
{
	AUTO_FREE char *text =
	    xstrdup(json_object_to_json_string_ext(o, PRETTY));
	char *save = NULL;

	printf("# %s\n", what);
	for (char *l = strtok_r(text, "\n", &save); l != NULL;
	     l = strtok_r(NULL, "\n", &save))
		printf("#   %s\n", l);
}

static void
run_file(const char *path, bool update)
{
	AUTO_JSON struct json_object *o = case_load(path);
	AUTO_JSON struct json_object *got = NULL;
	const char *name = strrchr(path, '/') + 1;
	struct json_object *want = NULL, *args, *facts, *config;

	if (!ok(o != NULL, "%s can be read", name))
		return;
	json_object_object_get_ex(o, "args", &args);
	json_object_object_get_ex(o, "facts", &facts);
	json_object_object_get_ex(o, "config", &config);
	got = case_run(args, facts, config);
	if (update) {
		jb_share(o, "expect", got);
		json_object_to_file_ext(path, o, PRETTY);
		skip(name, "rewritten");
		return;
	}
	json_object_object_get_ex(o, "expect", &want);
	if (!ok(json_object_equal(got, want), "%s", name)) {
		show("got", got);
		show("want", want);
	}
}

int
main(void)
{
	char **files = case_files("golden");
	size_t n = 0;

	for (char **f = files; *f != NULL; f++, n++)
		run_file(*f, getenv("T_UPDATE") != NULL);
	ok(n >= 20, "%zu cases, at least 20", n);
	case_files_free(files);
	return done_testing();
}
