/* SPDX-License-Identifier: Apache-2.0
 * The command update: other limits for a container that runs.
 *
 * The limits come as a document, linux.resources of the OCI runtime-spec, by
 * --resources FILE ("-": stdin), as engines give them. What the VM was made
 * with is derived once more from the engine's config.json, what it should have
 * from the same with the new limits in it. */
#include "runtime/update.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/vm_spec.h"
#include "runtime/balloon.h"
#include "runtime/bundle.h"
#include "runtime/cli.h"
#include "runtime/cpus.h"
#include "runtime/delegate.h"
#include "runtime/env.h"
#include "runtime/hostfacts.h"
#include "runtime/jbuild.h"
#include "runtime/memfd.h"
#include "runtime/memory.h"
#include "runtime/slurp.h"
#include "runtime/state.h"

#define RESOURCES_MAX (1u << 20) /* bytes */
#define MIB (INT64_C(1) << 20)

struct size {
	struct memory memory;
	struct cpus cpus;
};

struct update {
	struct bundle bundle;
	struct state state;
	struct json_object *resources; /* the new limits */
};

/* ---- options ------------------------------------------------------------- */

/* The value of --resources or -r; *direct: another option with a limit. */
static const char *
find_resources(const struct cli *cli, const char **direct)
{
	static const char *const sizes[] = {"--memory", "-m", "--memory-swap",
	    "--cpu-quota", "--cpu-period", "--cpuset-cpus"};
	const char *found = NULL;

	*direct = NULL;
	for (size_t i = 0; i < cli->rest.n; i++) {
		const char *o = cli->rest.v[i];
		size_t len = strcspn(o, "=");

		if (strncmp(o, "--resources", len) == 0 && len == 11)
			found =
			    o[len] == '=' ? o + len + 1 : cli->rest.v[i + 1];
		else if (strncmp(o, "-r", len) == 0 && len == 2)
			found =
			    o[len] == '=' ? o + len + 1 : cli->rest.v[i + 1];
		for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
			if (strlen(sizes[k]) == len &&
			    strncmp(o, sizes[k], len) == 0)
				*direct = sizes[k];
	}
	return found;
}

static struct json_object *
load_resources(const char *path, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct json_object *o = NULL;
	struct buf b;

	fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
				    : open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return err_sys(err, "--resources %.256s", path), NULL;
	buf_init(&b, RESOURCES_MAX);
	if (slurp(fd, "resources", &b, err) == 0)
		o = json_parse(
		    (const char *)buf_data(&b), buf_len(&b), "resources", err);
	buf_free(&b);
	if (o != NULL && !json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return err_set(err, "resources: not an object"), NULL;
	}
	return o;
}

/* ---- sizes --------------------------------------------------------------- */

static int
derive_size(struct json_object *config, const struct settings *s,
    struct size *size, struct err *err)
{
	struct hostfacts facts = {0};

	hostfacts_count_cpus(&facts);
	if (memory_derive(config, s, &size->memory, err) == -1)
		return -1;
	return cpus_derive(config, s, &facts, &size->cpus, err);
}

static struct json_object *
object_in(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (json_object_object_get_ex(o, key, &v) &&
	    json_object_is_type(v, json_type_object))
		return v;
	return jb_set(o, key, jb_obj());
}

/* What the new limits name takes the place of the old. */
static int
merge(
    struct json_object *config, struct json_object *resources, struct err *err)
{
	static const char *const groups[] = {"memory", "cpu"};
	struct json_object *to =
	    object_in(object_in(config, "linux"), "resources");

	for (size_t i = 0; i < 2; i++) {
		struct json_object *from = NULL, *group;

		if (json_opt_obj(
			resources, "resources", groups[i], &from, err) == -1)
			return -1;
		if (from == NULL)
			continue;
		group = object_in(to, groups[i]);
		json_object_object_foreach (from, key, val)
			jb_share(group, key, val);
	}
	return 0;
}

static int
check_growth(const struct size *made, const struct size *now, struct err *err)
{
	if (made->memory.raise > 0 &&
	    now->memory.guest_mib > made->memory.guest_mib)
		return err_set(err,
		    "--memory: %u MiB: the VM was made with %u MiB and cannot "
		    "grow while it runs; allowed: up to %u MiB",
		    now->memory.guest_mib, made->memory.guest_mib,
		    made->memory.guest_mib);
	if (now->memory.group_limit > 0)
		return err_set(err,
		    "--memory: %" PRId64 " MiB: a VM that runs cannot be made "
		    "smaller than %d MiB",
		    now->memory.group_limit / MIB, VM_MEM_MIN);
	if (made->cpus.by_limit && now->cpus.n > made->cpus.n)
		return err_set(err,
		    "--cpus, --cpuset-cpus: %u CPUs: the VM was made with %u "
		    "and cannot have more while it runs",
		    now->cpus.n, made->cpus.n);
	return 0;
}

static bool
names_memory(struct json_object *resources)
{
	struct json_object *memory = NULL;
	int64_t limit = 0;

	return json_opt_obj(resources, "resources", "memory", &memory, NULL) ==
	    0 &&
	    memory != NULL &&
	    json_opt_int(memory, "memory", "limit", INT64_MIN, INT64_MAX,
		&limit, NULL) == 0 &&
	    limit > 0;
}

/* ---- carrying out -------------------------------------------------------- */

static int
load(struct update *u, struct cli *cli, const char *delegate, struct err *err)
{
	if (state_get(delegate, cli, &u->state, err) == -1 ||
	    bundle_open(&u->bundle, u->state.bundle, err) == -1)
		return -1;
	return 0;
}

/* The guest first: the container's limit would kill a VM that is larger. */
static int
follow(struct update *u, struct cli *cli, struct err *err)
{
	AUTO_JSON struct json_object *config = NULL;
	struct strlist warnings = {0}; /* said at the start */
	struct size made, now;
	unsigned mib;
	int r;

	r = env_apply_config(u->bundle.config, &cli->settings, &warnings, err);
	strlist_free(&warnings);
	if (r == -1 ||
	    derive_size(u->bundle.config, &cli->settings, &made, err) == -1)
		return -1;
	if (json_object_deep_copy(u->bundle.config, &config, NULL) == -1)
		xcheck(NULL);
	if (merge(config, u->resources, err) == -1 ||
	    derive_size(config, &cli->settings, &now, err) == -1 ||
	    check_growth(&made, &now, err) == -1)
		return -1;
	if (!names_memory(u->resources) || now.memory.raise == 0)
		return 0;
	mib = now.memory.guest_mib < made.memory.guest_mib
	    ? now.memory.guest_mib
	    : made.memory.guest_mib;
	if (balloon_set(u->state.pid, mib * MIB, err) == -1)
		return err_prefix(err, "--memory: %u MiB", mib);
	memory_raise(&now.memory, u->resources);
	return 0;
}

/* The delegate reads what we made of the document. */
static int
place_resources(struct update *u, struct cli *cli, struct err *err)
{
	struct strlist rest = {0};
	const char *text;
	size_t len;

	text = json_object_to_json_string_length(
	    u->resources, JSON_C_TO_STRING_PLAIN, &len);
	if (memfd_place(STDIN_FILENO, "runq-resources", text, len, err) == -1)
		return -1;
	strlist_add(&rest, "--resources");
	strlist_add(&rest, "-");
	strlist_add(&rest, cli->id);
	strlist_free(&cli->rest);
	cli->rest = rest;
	return 0;
}

static int
carry_out(struct update *u, struct cli *cli, struct err *err)
{
	AUTO_FREE char *delegate = delegate_find(cli->settings.runc, err);
	const char *direct, *path;

	if (delegate == NULL)
		return -1;
	path = find_resources(cli, &direct);
	if (cli->id == NULL || (path == NULL && direct == NULL))
		return delegate_exec(delegate, cli, STDERR_FILENO, err);
	if (vm_id_check(cli->id, err) == -1)
		return err_prefix(err, "container id");
	if (load(u, cli, delegate, err) == -1)
		return -1;
	if (!u->bundle.saved)
		return delegate_exec(delegate, cli, STDERR_FILENO, err);
	if (direct != NULL)
		return err_set(err,
		    "update: %s is not supported; give the limits by "
		    "--resources",
		    direct);
	if ((u->resources = load_resources(path, err)) == NULL ||
	    follow(u, cli, err) == -1 || place_resources(u, cli, err) == -1)
		return -1;
	return delegate_exec(delegate, cli, STDERR_FILENO, err);
}

int
update_exec(struct cli *cli, struct err *err)
{
	struct update u = {.bundle = {.fd = -1}};

	(void)carry_out(&u, cli, err);
	json_object_put(u.resources);
	state_free(&u.state);
	bundle_close(&u.bundle);
	return -1;
}
