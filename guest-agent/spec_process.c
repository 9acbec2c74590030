/* SPDX-License-Identifier: Apache-2.0
 * "process" of a container or of EXEC (runtime-spec config.md, "Process"). */
#include <stdlib.h>
#include <string.h>

#include "guest-agent/spec.h"
#include "lib/json.h"

#define ID_MAX                                                                 \
	(INT64_C(0xffffffff) - 1) /* -1 means "leave it" to setuid(2)          \
				   */
#define GROUPS_MAX 65536	  /* NGROUPS_MAX, setgroups(2) */

static int
parse_env(struct json_object *o, struct process_spec *p, struct err *err)
{
	if (json_opt_strv(o, "process", "env", &p->env, &p->n_env, err) == -1)
		return -1;
	if (p->env == NULL && (p->env = calloc(1, sizeof(*p->env))) == NULL)
		return err_sys(err, "process.env");
	for (size_t i = 0; i < p->n_env; i++)
		if (p->env[i][0] == '=' || strchr(p->env[i], '=') == NULL)
			return err_set(err,
			    "process.env[%zu]: \"%.64s\" is not NAME=VALUE", i,
			    p->env[i]);
	return 0;
}

static int
parse_args(struct json_object *o, struct process_spec *p, struct err *err)
{
	if (json_opt_strv(o, "process", "args", &p->args, &p->n_args, err) ==
	    -1)
		return -1;
	if (p->n_args == 0)
		return err_set(err, "process.args: must have a first element");
	p->cwd = "/";
	if (json_opt_str(o, "process", "cwd", &p->cwd, err) == -1)
		return -1;
	if (p->cwd[0] != '/')
		return err_set(err,
		    "process.cwd: \"%.256s\" is not an absolute path", p->cwd);
	return 0;
}

static int
parse_groups(struct json_object *user, struct process_spec *p, struct err *err)
{
	struct json_object *a = NULL;
	size_t n;

	if (json_opt_arr(user, "process.user", "additionalGids", &a, err) == -1)
		return -1;
	if (a == NULL)
		return 0;
	if ((n = json_object_array_length(a)) > GROUPS_MAX)
		return err_set(err,
		    "process.user.additionalGids: %zu groups (allowed: %d)", n,
		    GROUPS_MAX);
	if ((p->groups = calloc(n + 1, sizeof(*p->groups))) == NULL)
		return err_sys(err, "process.user.additionalGids");
	for (size_t i = 0; i < n; i++) {
		struct json_object *v = json_object_array_get_idx(a, i);
		int64_t gid = json_object_get_int64(v);

		if (!json_object_is_type(v, json_type_int) || gid < 0 ||
		    gid > ID_MAX)
			return err_set(err,
			    "process.user.additionalGids[%zu]: %s is not a "
			    "group id",
			    i, json_object_get_string(v));
		p->groups[p->n_groups++] = (gid_t)gid;
	}
	return 0;
}

static int
parse_user(struct json_object *o, struct process_spec *p, struct err *err)
{
	struct json_object *user = NULL;
	int64_t uid = 0, gid = 0, mask = 022;

	if (json_opt_obj(o, "process", "user", &user, err) == -1)
		return -1;
	p->umask = (mode_t)mask;
	if (user == NULL)
		return 0;
	if (json_opt_int(user, "process.user", "uid", 0, ID_MAX, &uid, err) ==
		-1 ||
	    json_opt_int(user, "process.user", "gid", 0, ID_MAX, &gid, err) ==
		-1 ||
	    json_opt_int(user, "process.user", "umask", 0, 0777, &mask, err) ==
		-1)
		return -1;
	p->uid = (uid_t)uid;
	p->gid = (gid_t)gid;
	p->umask = (mode_t)mask;
	return parse_groups(user, p, err);
}

static int
parse_limits(struct json_object *o, struct process_spec *p, struct err *err)
{
	struct json_object *caps = NULL, *limits = NULL;
	int64_t score = INT64_MIN;

	if (json_opt_obj(o, "process", "capabilities", &caps, err) == -1 ||
	    json_opt_arr(o, "process", "rlimits", &limits, err) == -1 ||
	    json_opt_bool(
		o, "process", "noNewPrivileges", &p->no_new_privs, err) == -1 ||
	    json_opt_int(
		o, "process", "oomScoreAdj", -1000, 1000, &score, err) == -1)
		return -1;
	p->has_oom_score_adj = score != INT64_MIN;
	p->oom_score_adj = p->has_oom_score_adj ? (int)score : 0;
	p->has_caps = caps != NULL;
	if (caps != NULL &&
	    caps_read(caps, "process.capabilities", &p->caps, err) == -1)
		return -1;
	return rlimits_read(limits, "process.rlimits", &p->rlimits, err);
}

int
process_spec_parse(
    struct json_object *o, struct process_spec *out, struct err *err)
{
	*out = (struct process_spec){0};
	if (json_opt_bool(o, "process", "terminal", &out->terminal, err) ==
		-1 ||
	    parse_args(o, out, err) == -1 || parse_env(o, out, err) == -1 ||
	    parse_user(o, out, err) == -1 || parse_limits(o, out, err) == -1)
		return -1;
	return 0;
}

void
process_spec_free(struct process_spec *p)
{
	free(p->args);
	free(p->env);
	free(p->groups);
	*p = (struct process_spec){0};
}
