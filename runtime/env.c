/* SPDX-License-Identifier: Apache-2.0
 * The RUNQ_ variables of a container's environment. */
#include "runtime/env.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "runtime/xalloc.h"

#define PREFIX "RUNQ_"
#define WARNINGS_MAX 32

static void
warn_unknown(struct strlist *warnings, const char *var, size_t len)
{
	char name[128];

	/* an environment may hold thousands of them */
	if (warnings->n >= WARNINGS_MAX)
		return;
	log_escape(name, sizeof(name), var, len);
	strlist_take(warnings, xasprintf("%s: unknown variable", name));
}

static void
check_later_ones(const struct settings *s, struct strlist *warnings)
{
	if (s->rootdisk == NULL && s->rootdisk_exclude.n > 0)
		strlist_add(warnings,
		    "RUNQ_ROOTDISK_EXCLUDE: has no effect without "
		    "RUNQ_ROOTDISK");
}

int
env_apply(const char *const *env, struct settings *s, struct strlist *warnings,
    struct err *err)
{
	for (; env != NULL && *env != NULL; env++) {
		size_t len = strcspn(*env, "=");
		const struct setting *t;

		if (strncmp(*env, PREFIX, strlen(PREFIX)) != 0)
			continue;
		if ((t = setting_by_var(*env, len)) == NULL) {
			warn_unknown(warnings, *env, len);
			continue;
		}
		if ((*env)[len] != '=')
			return err_set(
			    err, "%.*s: without a value", (int)len, *env);
		if (setting_set_env(t, s, *env + len + 1, err) == -1)
			return err_prefix(err, "%.*s", (int)len, *env);
	}
	check_later_ones(s, warnings);
	return 0;
}

int
env_apply_config(struct json_object *config, struct settings *s,
    struct strlist *warnings, struct err *err)
{
	AUTO_FREE const char **env = NULL;
	struct json_object *process;
	size_t n;

	if (json_need_obj(config, "config.json", "process", &process, err) ==
		-1 ||
	    json_opt_strv(process, "process", "env", &env, &n, err) == -1)
		return -1;
	return env_apply(env, s, warnings, err);
}
