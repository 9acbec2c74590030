/* SPDX-License-Identifier: Apache-2.0
 * The command line: an OCI runtime's, with our own options taken out. */
#include "runtime/cli.h"

#include <string.h>

/*
 * Options of runc(8) and crun(1) that take a value, by command; without them
 * a value would be taken for the command or the container id. All others are
 * flags, or have their value after "=".
 */
static const struct value_options {
	const char *command; /* NULL: before the command */
	const char *names;   /* between blanks */
} value_options[] = {
    {NULL, " cgroup-manager criu log log-format root rootless "},
    {"create",
	" b bundle config console-socket f pid-file "
	"preserve-fds "},
    {"run", " b bundle config console-socket f pid-file preserve-fds "},
    {"spec", " b bundle config f "},
    {"events", " interval "},
    {"list", " f format "},
    {"ps", " f format "},
    {"kill", " regex "},
    {"delete", " regex "},
    {"update",
	" blkio-weight cpu-burst cpu-idle cpu-period cpu-quota "
	"cpu-rt-period cpu-rt-runtime cpu-share cpuset-cpus "
	"cpuset-mems kernel-memory kernel-memory-tcp "
	"l3-cache-schema m mem-bw-schema memory "
	"memory-reservation memory-swap pids-limit r resources "},
};

/* One option: name without dashes, its length, its value after "=" or NULL. */
struct option {
	const char *arg;
	const char *name;
	size_t len;
	const char *value;
	bool two_dashes;
};

struct parser {
	struct cli *cli;
	int argc;
	char **argv;
	int i; /* next argument */
	bool failed;
	struct err *err; /* the first error */
};

static bool
in_names(const char *names, const struct option *o)
{
	const char *p = names;

	while ((p = memmem(p, strlen(p), o->name, o->len)) != NULL) {
		if (p > names && p[-1] == ' ' && p[o->len] == ' ')
			return true;
		p++;
	}
	return false;
}

static bool
takes_value(const char *command, const struct option *o)
{
	if (command != NULL && strcmp(command, "exec") == 0)
		return exec_option_takes_value(o->name, o->len);
	for (size_t i = 0; i < sizeof(value_options) / sizeof(*value_options);
	     i++) {
		const struct value_options *v = &value_options[i];

		if (command == NULL ? v->command == NULL
				    : v->command != NULL &&
			    strcmp(v->command, command) == 0)
			return o->len > 0 && in_names(v->names, o);
	}
	return false;
}

static bool
is(const struct option *o, const char *name)
{
	return strlen(name) == o->len && memcmp(o->name, name, o->len) == 0;
}

/* False when arg is an operand. */
static bool
split_option(const char *arg, struct option *o)
{
	if (arg[0] != '-' || arg[1] == '\0')
		return false;
	o->arg = arg;
	o->two_dashes = arg[1] == '-';
	o->name = arg + (o->two_dashes ? 2 : 1);
	o->len = strcspn(o->name, "=");
	o->value = o->name[o->len] == '=' ? o->name + o->len + 1 : NULL;
	return true;
}

static void
fail(struct parser *p, const struct err *e)
{
	if (!p->failed && p->err != NULL)
		*p->err = *e;
	p->failed = true;
}

/* The value of o: behind its "=" or the next argument. NULL: there is none. */
static const char *
value_of(struct parser *p, const struct option *o)
{
	struct err e;

	if (o->value != NULL)
		return o->value;
	if (p->i < p->argc)
		return p->argv[p->i++];
	err_set(&e, "%.64s: needs a value", o->arg);
	fail(p, &e);
	return NULL;
}

static bool
take_ours(struct parser *p, const struct option *o)
{
	const struct setting *t = NULL;
	const char *value;
	struct err e;

	/* the field's runtimes know no short option of these names */
	if (o->two_dashes)
		t = setting_by_option(o->name, o->len);
	if (t == NULL)
		return false;
	if (setting_is_flag(t) && o->value == NULL)
		value = "true";
	else
		value = value_of(p, o);
	if (value != NULL &&
	    setting_set(t, &p->cli->settings, value, &e) == -1) {
		err_prefix(&e, "--%.*s", (int)o->len, o->name);
		fail(p, &e);
	}
	return true;
}

static void
note_global(struct cli *cli, const struct option *o, const char *value)
{
	if (is(o, "log"))
		cli->log = value;
	else if (is(o, "log-format"))
		cli->log_format = value;
	else if (is(o, "help") || is(o, "h") || is(o, "?"))
		cli->help = true;
	else if (is(o, "version") || is(o, "v") || is(o, "V"))
		cli->version = true;
}

/* What create and run need; false: an option the delegate does not see. */
static bool
note_create(struct parser *p, const struct option *o, const char *value)
{
	struct err e;

	if (is(o, "help") || is(o, "h") || is(o, "?"))
		p->cli->help = true;
	if (is(o, "bundle") || is(o, "b"))
		p->cli->bundle = value;
	if (is(o, "config") || is(o, "f")) {
		err_set(&e,
		    "%.64s: another name for config.json is not supported",
		    o->arg);
		fail(p, &e);
	}
	if (!is(o, "preserve-fds"))
		return true;
	if (value != NULL && strcmp(value, "0") != 0) {
		err_set(&e,
		    "--preserve-fds: \"%.64s\", must be 0: file descriptors "
		    "cannot cross into a VM",
		    value);
		fail(p, &e);
	}
	return false;
}

static void
note_exec(
    struct parser *p, const struct option *o, const char *value, bool separate)
{
	struct err e;

	/* the error that it needs a value is there already */
	if (separate && value == NULL)
		return;
	if (exec_option_set(&p->cli->exec, o->name, o->len, o->arg, value,
		separate, &e) == -1)
		fail(p, &e);
}

/* An option that is not ours, with its value, for the delegate. */
static void
take_theirs(struct parser *p, const struct option *o)
{
	struct cli *cli = p->cli;
	struct strlist *to = cli->command == NULL ? &cli->global : &cli->rest;
	bool separate = o->value == NULL && takes_value(cli->command, o);
	const char *value = separate ? value_of(p, o) : o->value;

	if (cli->command == NULL)
		note_global(cli, o, value);
	else if (cli_takes_bundle(cli->command) && !note_create(p, o, value))
		return;
	else if (strcmp(cli->command, "exec") == 0)
		note_exec(p, o, value, separate);
	strlist_add(to, o->arg);
	if (separate && value != NULL)
		strlist_add(to, value);
}

/* Options up to the first operand; true when there is one, at argv[i]. */
static bool
take_options(struct parser *p)
{
	struct option o;

	while (p->i < p->argc) {
		if (strcmp(p->argv[p->i], "--") == 0) {
			p->i++;
			break;
		}
		if (!split_option(p->argv[p->i], &o))
			break;
		p->i++;
		if (!take_ours(p, &o))
			take_theirs(p, &o);
	}
	return p->i < p->argc;
}

int
cli_parse(struct cli *cli, int argc, char **argv, struct err *err)
{
	struct parser p = {cli, argc, argv, 1, false, err};

	*cli = (struct cli){0};
	settings_init(&cli->settings);
	exec_options_init(&cli->exec);
	if (!take_options(&p))
		return p.failed ? -1 : 0;
	cli->command = argv[p.i++];
	if (take_options(&p)) {
		cli->id = argv[p.i];
		cli->args = argv + p.i + 1;
		/* an operand with a leading dash stays one for the delegate */
		if (cli->id[0] == '-')
			strlist_add(&cli->rest, "--");
	}
	while (p.i < argc)
		strlist_add(&cli->rest, argv[p.i++]);
	return p.failed ? -1 : 0;
}

void
cli_free(struct cli *cli)
{
	settings_free(&cli->settings);
	exec_options_free(&cli->exec);
	strlist_free(&cli->global);
	strlist_free(&cli->rest);
}

bool
cli_takes_bundle(const char *command)
{
	return strcmp(command, "create") == 0 || strcmp(command, "run") == 0;
}
