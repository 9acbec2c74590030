/* SPDX-License-Identifier: Apache-2.0
 * The options of the command exec. */
#include "runtime/exec_options.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/path.h"
#include "runtime/process.h"
#include "runtime/value.h"
#include "runtime/xalloc.h"

static int
set_help(struct exec_options *x, const char *v, struct err *err)
{
	(void)v;
	(void)err;
	x->help = true;
	return 0;
}

static int
set_process(struct exec_options *x, const char *v, struct err *err)
{
	if (v[0] == '\0')
		return err_set(err, "empty, must be a file");
	x->process = v;
	return 0;
}

static int
set_tty(struct exec_options *x, const char *v, struct err *err)
{
	return value_bool(v, &x->terminal, err);
}

static int
set_cwd(struct exec_options *x, const char *v, struct err *err)
{
	if (v[0] != '/' || strlen(v) >= PATH_LEN_MAX)
		return err_set(err,
		    "\"%.64s\", must be an absolute path of less than %d bytes",
		    v, PATH_LEN_MAX);
	x->cwd = v;
	return 0;
}

static int
set_env(struct exec_options *x, const char *v, struct err *err)
{
	if (v[0] == '=' || strchr(v, '=') == NULL)
		return err_set(err, "\"%.64s\", must be NAME=VALUE", v);
	strlist_add(&x->env, v);
	return 0;
}

static int
set_user(struct exec_options *x, const char *v, struct err *err)
{
	size_t n = strcspn(v, ":");
	char *uid = xstrndup(v, n);
	int r = value_uint(uid, 0, PROCESS_ID_MAX, &x->uid, err);

	free(uid);
	x->has_user = true;
	x->has_group = v[n] == ':';
	if (r == 0 && x->has_group)
		r = value_uint(v + n + 1, 0, PROCESS_ID_MAX, &x->gid, err);
	if (r == -1)
		return err_set(err,
		    "\"%.64s\", must be UID or UID:GID, whole numbers up to %u",
		    v, PROCESS_ID_MAX);
	return 0;
}

static int
set_group(struct exec_options *x, const char *v, struct err *err)
{
	unsigned gid;

	if (value_uint(v, 0, PROCESS_ID_MAX, &gid, err) == -1)
		return -1;
	x->groups =
	    xreallocarray(x->groups, x->n_groups + 1, sizeof(*x->groups));
	x->groups[x->n_groups++] = gid;
	return 0;
}

static int
set_cap(struct exec_options *x, const char *v, struct err *err)
{
	(void)err;
	strlist_add(&x->caps, v);
	return 0;
}

static int
set_no_new_privs(struct exec_options *x, const char *v, struct err *err)
{
	bool on;

	if (value_bool(v, &on, err) == -1)
		return -1;
	x->no_new_privs = on;
	return 0;
}

static int
set_preserve_fds(struct exec_options *x, const char *v, struct err *err)
{
	(void)x;
	if (strcmp(v, "0") == 0)
		return 0;
	return err_set(err,
	    "\"%.64s\", must be 0: file descriptors cannot cross into a VM", v);
}

static int
set_cgroup(struct exec_options *x, const char *v, struct err *err)
{
	(void)x;
	return err_set(err,
	    "\"%.64s\" is not supported: the process is in a VM, and the VM in "
	    "one cgroup",
	    v);
}

/* Security modules of the host know nothing of the guest's processes. */
static int
set_nothing(struct exec_options *x, const char *v, struct err *err)
{
	(void)x;
	(void)v;
	(void)err;
	return 0;
}

enum form {
	FLAG,
	VALUE,
	REFUSED /* it takes a value; the error is for later */
};

static const struct exec_option {
	const char *name, *brief; /* NULL: it has no short name */
	enum form form;
	/* NULL: it is the delegate's */
	int (*set)(struct exec_options *, const char *, struct err *);
} table[] = {
    {"additional-gids", "g", VALUE, set_group},
    {"apparmor", NULL, VALUE, set_nothing},
    {"cap", "c", VALUE, set_cap},
    {"cgroup", NULL, REFUSED, set_cgroup},
    {"console-socket", NULL, VALUE, NULL},
    {"cwd", NULL, VALUE, set_cwd},
    {"detach", "d", FLAG, NULL},
    {"env", "e", VALUE, set_env},
    {"help", "h", FLAG, set_help},
    {"usage", "?", FLAG, set_help},
    {"ignore-paused", NULL, FLAG, NULL},
    {"no-new-privs", NULL, FLAG, set_no_new_privs},
    {"pid-file", NULL, VALUE, NULL},
    {"preserve-fds", NULL, REFUSED, set_preserve_fds},
    {"process", "p", VALUE, set_process},
    {"process-label", NULL, VALUE, set_nothing},
    {"tty", "t", FLAG, set_tty},
    {"user", "u", VALUE, set_user},
};

static bool
same(const char *name, const char *s, size_t len)
{
	return name != NULL && strlen(name) == len && memcmp(name, s, len) == 0;
}

static const struct exec_option *
find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (same(table[i].name, name, len) ||
		    same(table[i].brief, name, len))
			return &table[i];
	return NULL;
}

bool
exec_option_takes_value(const char *name, size_t len)
{
	const struct exec_option *o = find(name, len);

	return o != NULL && o->form != FLAG;
}

static void
pass_on(
    struct exec_options *x, const char *arg, const char *value, bool separate)
{
	strlist_add(&x->pass, arg);
	if (separate && value != NULL)
		strlist_add(&x->pass, value);
}

int
exec_option_set(struct exec_options *x, const char *name, size_t len,
    const char *arg, const char *value, bool separate, struct err *err)
{
	const struct exec_option *o = find(name, len);

	if (o == NULL)
		return err_set(err, "exec: %.64s: unknown option", arg);
	if (o->set == NULL) {
		pass_on(x, arg, value, separate);
		return 0;
	}
	if (value == NULL)
		value = o->form == FLAG ? "true" : "";
	if (o->set(x, value, err) == 0)
		return 0;
	err_prefix(err, "exec: --%s", o->name);
	if (o->form != REFUSED)
		return -1;
	if (!x->has_refused)
		x->refused = *err;
	x->has_refused = true;
	return 0;
}

void
exec_options_init(struct exec_options *x)
{
	*x = (struct exec_options){.no_new_privs = -1};
}

void
exec_options_free(struct exec_options *x)
{
	free(x->groups);
	strlist_free(&x->env);
	strlist_free(&x->caps);
	strlist_free(&x->pass);
	exec_options_init(x);
}
