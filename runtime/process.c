/* SPDX-License-Identifier: Apache-2.0
 * "process" of a container or of an exec session, as the guest runs it. */
#include "runtime/process.h"

#include <inttypes.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "runtime/jbuild.h"
#include "runtime/limits.h"
#include "runtime/oci.h"
#include "runtime/path.h"
#include "runtime/strlist.h"

#define GROUPS_MAX 65536 /* NGROUPS_MAX of Linux */
#define UMASK_DEFAULT 022

static int
take_groups(struct json_object *user, struct json_object *to, struct err *err)
{
	struct json_object *a = NULL, *out = jb_arr();

	jb_set(to, "additionalGids", out);
	if (user != NULL &&
	    json_opt_arr(user, "process.user", "additionalGids", &a, err) == -1)
		return -1;
	if (a == NULL)
		return 0;
	if (json_object_array_length(a) > GROUPS_MAX)
		return err_set(err, "process.user.additionalGids: more than %d",
		    GROUPS_MAX);
	for (size_t i = 0; i < json_object_array_length(a); i++) {
		struct json_object *v = json_object_array_get_idx(a, i);

		if (!json_object_is_type(v, json_type_int) ||
		    json_object_get_int64(v) < 0 ||
		    json_object_get_int64(v) > PROCESS_ID_MAX)
			return err_set(err,
			    "process.user.additionalGids[%zu]: must be 0 to "
			    "%" PRIu32,
			    i, PROCESS_ID_MAX);
		jb_push(out, json_object_get(v));
	}
	return 0;
}

static int
take_user(struct json_object *process, struct json_object *to, struct err *err)
{
	const char *w = "process.user";
	struct json_object *user = NULL, *out = jb_set(to, "user", jb_obj());
	int64_t uid = 0, gid = 0, mask = UMASK_DEFAULT;

	if (json_opt_obj(process, "process", "user", &user, err) == -1)
		return -1;
	if (user != NULL &&
	    (json_opt_int(user, w, "uid", 0, PROCESS_ID_MAX, &uid, err) == -1 ||
		json_opt_int(user, w, "gid", 0, PROCESS_ID_MAX, &gid, err) ==
		    -1 ||
		json_opt_int(user, w, "umask", 0, 0777, &mask, err) == -1))
		return -1;
	jb_int(out, "uid", uid);
	jb_int(out, "gid", gid);
	jb_int(out, "umask", mask);
	return take_groups(user, out, err);
}

/* A name that this version does not know is ignored, as by runc. */
static void
warn_capability(struct strlist *warnings, const char *name)
{
	AUTO_FREE char *line = NULL;
	char safe[64];

	log_escape(safe, sizeof(safe), name, strlen(name));
	line = xasprintf("capability %s: unknown, ignored", safe);
	if (!strlist_has(warnings, line))
		strlist_add(warnings, line);
}

static int
take_capabilities(struct json_object *process, struct json_object *to,
    struct strlist *warnings, struct err *err)
{
	static const char *const sets[] = {
	    "bounding", "effective", "inheritable", "permitted", "ambient"};
	struct json_object *caps = NULL, *out, *list;

	out = jb_set(to, "capabilities", jb_obj());
	if (json_opt_obj(process, "process", "capabilities", &caps, err) == -1)
		return -1;
	for (size_t i = 0; i < 5; i++) {
		AUTO_FREE const char **v = NULL;
		size_t n = 0;

		list = jb_set(out, sets[i], jb_arr());
		if (caps != NULL &&
		    json_opt_strv(caps, "process.capabilities", sets[i], &v, &n,
			err) == -1)
			return -1;
		for (size_t j = 0; j < n; j++) {
			if (oci_known(oci_capabilities, v[j]))
				jb_push_str(list, v[j]);
			else
				warn_capability(warnings, v[j]);
		}
	}
	return 0;
}

static bool
has_rlimit(struct json_object *rlimits, const char *type)
{
	struct json_object *v;

	for (size_t i = 0; i < json_object_array_length(rlimits); i++) {
		v = json_object_object_get(
		    json_object_array_get_idx(rlimits, i), "type");
		if (strcmp(json_object_get_string(v), type) == 0)
			return true;
	}
	return false;
}

static void
push_rlimit(
    struct json_object *rlimits, const char *type, uint64_t soft, uint64_t hard)
{
	struct json_object *o = jb_obj();

	jb_str(o, "type", type);
	jb_u64(o, "hard", hard);
	jb_u64(o, "soft", soft);
	jb_push(rlimits, o);
}

static int
take_rlimits(
    struct json_object *process, struct json_object *to, struct err *err)
{
	const char *w = "process.rlimits[]", *type;
	struct json_object *a = NULL, *out, *o;

	out = jb_set(to, "rlimits", jb_arr());
	if (json_opt_arr(process, "process", "rlimits", &a, err) == -1)
		return -1;
	for (size_t i = 0; a != NULL && i < json_object_array_length(a); i++) {
		uint64_t hard = 0, soft = 0;

		o = json_object_array_get_idx(a, i);
		if (json_need_str(o, w, "type", &type, err) == -1 ||
		    json_opt_u64(o, w, "hard", &hard, err) == -1 ||
		    json_opt_u64(o, w, "soft", &soft, err) == -1)
			return -1;
		if (rlimit_by_name(type) == NULL)
			return err_set(err,
			    "process.rlimits: \"%.64s\" is not a resource "
			    "limit of Linux",
			    type);
		if (has_rlimit(out, type))
			return err_set(
			    err, "process.rlimits: %s: given twice", type);
		if (soft > hard)
			return err_set(err,
			    "process.rlimits: %s: the soft limit %" PRIu64
			    " is above the hard limit %" PRIu64,
			    type, soft, hard);
		push_rlimit(out, type, soft, hard);
	}
	return 0;
}

/* A process without a VM inherits what is not set. */
static void
inherit_rlimits(struct json_object *to, const struct limits *limits)
{
	struct json_object *out = json_object_object_get(to, "rlimits");

	for (size_t i = 0; i < limits->n; i++)
		if (!has_rlimit(out, limits->v[i].type))
			push_rlimit(out, limits->v[i].type, limits->v[i].soft,
			    limits->v[i].hard);
}

/* Members of later specs that change how, not whether, a process runs. */
static void
warn_scheduling(struct json_object *process, struct strlist *warnings)
{
	static const char *const keys[] = {
	    "scheduler", "ioPriority", "execCPUAffinity"};
	struct json_object *v;

	for (size_t i = 0; i < 3; i++)
		if (json_object_object_get_ex(process, keys[i], &v) &&
		    v != NULL)
			strlist_take(warnings,
			    xasprintf(
				"process.%s: has no effect in a VM", keys[i]));
}

static int
take_process(struct json_object *process, struct json_object *to,
    struct strlist *warnings, struct err *err)
{
	const char *w = "process", *cwd;
	bool terminal = false, nnp = false;
	int64_t oom = 0;

	if (json_need_str(process, w, "cwd", &cwd, err) == -1 ||
	    json_opt_bool(process, w, "terminal", &terminal, err) == -1 ||
	    json_opt_bool(process, w, "noNewPrivileges", &nnp, err) == -1 ||
	    json_opt_int(process, w, "oomScoreAdj", -1000, 1000, &oom, err) ==
		-1)
		return -1;
	if (cwd[0] != '/' || strlen(cwd) >= PATH_LEN_MAX)
		return err_set(err,
		    "process.cwd: \"%.64s\", must be an absolute path of less "
		    "than %d bytes",
		    cwd, PATH_LEN_MAX);
	jb_bool(to, "terminal", terminal);
	if (jb_copy_strv(process, w, "args", to, err) == -1 ||
	    jb_copy_strv(process, w, "env", to, err) == -1)
		return -1;
	if (json_object_array_length(json_object_object_get(to, "args")) == 0)
		return err_set(err, "process.args: empty, must name a command");
	jb_str(to, "cwd", cwd);
	if (take_user(process, to, err) == -1 ||
	    take_capabilities(process, to, warnings, err) == -1 ||
	    take_rlimits(process, to, err) == -1)
		return -1;
	jb_bool(to, "noNewPrivileges", nnp);
	jb_int(to, "oomScoreAdj", oom);
	warn_scheduling(process, warnings);
	return 0;
}

struct json_object *
process_guest(struct json_object *process, const struct limits *limits,
    struct strlist *warnings, struct err *err)
{
	struct json_object *o = jb_obj();

	if (take_process(process, o, warnings, err) == -1) {
		json_object_put(o);
		return NULL;
	}
	inherit_rlimits(o, limits);
	return o;
}
