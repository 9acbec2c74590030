/* SPDX-License-Identifier: Apache-2.0
 * The two processes of an exec session: the guest's and the relay's. */
#include "runtime/exec_process.h"

#include <string.h>

#include "lib/json.h"
#include "lib/paths.h"
#include "lib/relay.h"
#include "runtime/exec_options.h"
#include "runtime/jbuild.h"
#include "runtime/oci.h"
#include "runtime/process.h"
#include "runtime/strlist.h"

static const char *const capability_sets[] = {
    "bounding", "effective", "permitted", "inheritable", "ambient"};
/* Those that --cap adds to; ambient ones would need inheritable ones. */
#define SETS_OF_CAP 3

/* A member that is there and not null; o may be anything. */
static struct json_object *
member(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v))
		return NULL;
	return v;
}

bool
exec_needs_base(struct json_object *file)
{
	return member(file, "capabilities") == NULL;
}

/* ---- options on the container's process ---------------------------------- */

/* The later value of a name counts, in the place of the first. */
static void
set_variable(struct json_object *env, const char *variable)
{
	size_t n = strcspn(variable, "=") + 1;

	for (size_t i = 0; i < json_object_array_length(env); i++) {
		const char *s =
		    json_object_get_string(json_object_array_get_idx(env, i));

		if (strncmp(s, variable, n) != 0)
			continue;
		if (json_object_array_put_idx(
			env, i, json_object_new_string(variable)) != 0)
			xcheck(NULL);
		return;
	}
	jb_push_str(env, variable);
}

static bool
has_string(struct json_object *a, const char *s)
{
	for (size_t i = 0; i < json_object_array_length(a); i++)
		if (strcmp(
			json_object_get_string(json_object_array_get_idx(a, i)),
			s) == 0)
			return true;
	return false;
}

static void
add_capabilities(struct json_object *process, const struct strlist *caps)
{
	struct json_object *sets =
	    json_object_object_get(process, "capabilities");

	for (size_t i = 0; i < SETS_OF_CAP; i++) {
		struct json_object *set =
		    json_object_object_get(sets, capability_sets[i]);

		/* unknown ones are ignored, as by the delegate */
		for (size_t j = 0; j < caps->n; j++)
			if (oci_known(oci_capabilities, caps->v[j]) &&
			    !has_string(set, caps->v[j]))
				jb_push_str(set, caps->v[j]);
	}
}

static void
set_user(struct json_object *process, const struct exec_options *x)
{
	struct json_object *user = json_object_object_get(process, "user");
	struct json_object *groups =
	    json_object_object_get(user, "additionalGids");

	if (x->has_user)
		jb_int(user, "uid", x->uid);
	if (x->has_group)
		jb_int(user, "gid", x->gid);
	for (size_t i = 0; i < x->n_groups; i++)
		jb_push(groups, xcheck(json_object_new_int64(x->groups[i])));
}

/* process came from process_guest(): all members are there. */
static int
apply_options(
    struct json_object *process, const struct exec_input *in, struct err *err)
{
	const struct exec_options *x = in->options;
	struct json_object *args, *env = json_object_object_get(process, "env");

	if (in->args == NULL || in->args[0] == NULL)
		return err_set(err, "exec: needs a command or --process");
	args = jb_set(process, "args", jb_arr());
	for (size_t i = 0; in->args[i] != NULL; i++)
		jb_push_str(args, in->args[i]);
	for (size_t i = 0; i < x->env.n; i++)
		set_variable(env, x->env.v[i]);
	if (x->cwd != NULL)
		jb_str(process, "cwd", x->cwd);
	set_user(process, x);
	add_capabilities(process, &x->caps);
	jb_bool(process, "terminal", x->terminal);
	if (x->no_new_privs != -1)
		jb_bool(process, "noNewPrivileges", x->no_new_privs == 1);
	return 0;
}

/* ---- the guest's process ------------------------------------------------- */

/* What a file leaves out is the container's: so does runc(8). */
static void
fill_from_base(struct json_object *guest, struct json_object *file,
    struct json_object *base)
{
	struct json_object *limits = member(file, "rlimits");

	if (member(file, "capabilities") == NULL)
		jb_share(guest, "capabilities",
		    json_object_object_get(base, "capabilities"));
	if (limits == NULL || json_object_array_length(limits) == 0)
		jb_share(
		    guest, "rlimits", json_object_object_get(base, "rlimits"));
}

static struct json_object *
guest_process(const struct exec_input *in, struct err *err)
{
	AUTO_JSON struct json_object *base = NULL;
	struct json_object *guest;
	/* nobody to tell: stderr is the session's */
	struct strlist ignored = {0};

	if (in->base != NULL)
		base = process_guest(in->base, in->limits, &ignored, err);
	if (in->base != NULL && base == NULL)
		guest = NULL;
	else if (in->file != NULL)
		guest = process_guest(in->file, in->limits, &ignored, err);
	else
		guest = json_object_get(base);
	strlist_free(&ignored);
	if (guest == NULL)
		return NULL;
	if (in->file != NULL && base != NULL)
		fill_from_base(guest, in->file, base);
	if (in->file == NULL && apply_options(guest, in, err) == -1) {
		json_object_put(guest);
		return NULL;
	}
	return guest;
}

/* ---- the relay's --------------------------------------------------------- */

static int
add_console_size(
    struct json_object *relay, struct json_object *source, struct err *err)
{
	const char *w = "process.consoleSize";
	struct json_object *from = NULL, *to;
	int64_t height = 0, width = 0;

	if (json_opt_obj(source, "process", "consoleSize", &from, err) == -1)
		return -1;
	if (from == NULL)
		return 0;
	if (json_opt_int(from, w, "height", 0, UINT16_MAX, &height, err) ==
		-1 ||
	    json_opt_int(from, w, "width", 0, UINT16_MAX, &width, err) == -1)
		return -1;
	to = jb_set(relay, "consoleSize", jb_obj());
	jb_int(to, "height", height);
	jb_int(to, "width", width);
	return 0;
}

/* It talks to a socket and to its own stdio: no privilege is needed. */
static struct json_object *
relay_process(struct json_object *source, bool terminal, struct err *err)
{
	static const char *const args[] = {PATH_RELAY, RELAY_TERMINAL};
	static const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:"
					  "/bin"};
	struct json_object *o = jb_obj(), *user, *caps;

	jb_bool(o, "terminal", terminal);
	if (terminal && add_console_size(o, source, err) == -1) {
		json_object_put(o);
		return NULL;
	}
	user = jb_set(o, "user", jb_obj());
	jb_int(user, "uid", 0);
	jb_int(user, "gid", 0);
	jb_set(o, "args", jb_strv(args, terminal ? 2 : 1));
	jb_set(o, "env", jb_strv(env, 1));
	jb_str(o, "cwd", "/");
	/* without them it would get the supervisor's */
	caps = jb_set(o, "capabilities", jb_obj());
	for (size_t i = 0; i < 5; i++)
		jb_set(caps, capability_sets[i], jb_arr());
	jb_bool(o, "noNewPrivileges", true);
	return o;
}

int
exec_processes_make(
    const struct exec_input *in, struct exec_processes *p, struct err *err)
{
	bool terminal;

	*p = (struct exec_processes){0};
	if ((p->guest = guest_process(in, err)) == NULL)
		return -1;
	terminal = json_object_get_boolean(
	    json_object_object_get(p->guest, "terminal"));
	p->relay = relay_process(
	    in->file != NULL ? in->file : in->base, terminal, err);
	return p->relay == NULL ? -1 : 0;
}

void
exec_processes_free(struct exec_processes *p)
{
	json_object_put(p->guest);
	json_object_put(p->relay);
	*p = (struct exec_processes){0};
}
