/* SPDX-License-Identifier: Apache-2.0
 * The mounts of a bundle. */
#include "runtime/mounts.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "runtime/disks.h"
#include "runtime/hostfacts.h"
#include "runtime/oci.h"
#include "runtime/path.h"
#include "runtime/xalloc.h"

#define MOUNTS_MAX 4096

/* What the guest's kernel mounts; the agent's vocabulary. */
static const char *const guest_types[] = {
    "proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", NULL};

static bool
has_bind_option(const char *const *options)
{
	for (; options != NULL && *options != NULL; options++)
		if (strcmp(*options, "bind") == 0 ||
		    strcmp(*options, "rbind") == 0)
			return true;
	return false;
}

static int
check_destination(const char *given, const char *clean, struct err *err)
{
	if (strcmp(clean, "/") == 0)
		return err_set(err,
		    "mount at \"%.256s\": must be below the root directory",
		    given);
	if (path_is_below(clean, MOUNTS_MODULES) ||
	    path_is_below(clean, "/usr" MOUNTS_MODULES))
		return err_set(err,
		    "mount at \"%.256s\": " MOUNTS_MODULES
		    " is the guest kernel's "
		    "own; any other place is allowed",
		    given);
	if (disks_is_disk(clean))
		return err_set(err,
		    "mount at \"%.256s\": only --volume and --device can be "
		    "below " DISKS_PATH "/",
		    given);
	return 0;
}

static int
check_type(const char *type, const char *destination, struct err *err)
{
	if (oci_known(guest_types, type))
		return 0;
	return err_set(err,
	    "mount at \"%.256s\": type \"%.64s\" is not supported; allowed: "
	    "bind, proc, sysfs, tmpfs, devpts, mqueue, cgroup",
	    destination, type);
}

static int
check_mappings(struct json_object *o, const char *destination, struct err *err)
{
	static const char *const keys[] = {"uidMappings", "gidMappings"};

	for (size_t i = 0; i < 2; i++) {
		struct json_object *a = NULL;

		if (json_opt_arr(o, "mounts[]", keys[i], &a, err) == -1)
			return -1;
		if (a != NULL && json_object_array_length(a) > 0)
			return err_set(err,
			    "mount at \"%.256s\": id-mapped mounts (%s) are "
			    "not supported",
			    destination, keys[i]);
	}
	return 0;
}

/* The options of a mount, without those of another place. */
static int
take_options(struct mount *m, const char *const *options, struct err *err)
{
	for (; options != NULL && *options != NULL; options++) {
		const struct oci_option *o = oci_mount_option(*options);

		if (o != NULL && o->place == OCI_OPTION_REFUSED)
			return err_set(err,
			    "mount at \"%.256s\": option \"%s\" is not "
			    "supported",
			    m->destination, o->name);
		/* propagation means nothing in a namespace of its own, and
		 * a bind mount has no data that the kernel reads */
		if (m->kind == MOUNT_GUEST
			? o == NULL || o->place != OCI_OPTION_HOST
			: o != NULL && o->place != OCI_OPTION_GUEST)
			strlist_add(&m->options, *options);
	}
	return 0;
}

/* disks_parse() has it. */
static bool
is_disk(struct json_object *o)
{
	const char *destination;
	AUTO_FREE char *clean = NULL;

	if (json_need_str(o, "mounts[]", "destination", &destination, NULL) ==
		-1 ||
	    destination[0] != '/' || strlen(destination) >= PATH_LEN_MAX)
		return false;
	clean = path_clean(destination);
	return disks_is_disk(clean);
}

static int
parse_one(
    struct mount *m, struct json_object *o, const char *bundle, struct err *err)
{
	AUTO_FREE const char **options = NULL;
	const char *destination, *type = "", *source = "";
	size_t n;

	if (json_need_str(o, "mounts[]", "destination", &destination, err) ==
		-1 ||
	    json_opt_str(o, "mounts[]", "type", &type, err) == -1 ||
	    json_opt_str(o, "mounts[]", "source", &source, err) == -1 ||
	    json_opt_strv(o, "mounts[]", "options", &options, &n, err) == -1)
		return -1;
	if (destination[0] != '/' || strlen(destination) >= PATH_LEN_MAX)
		return err_set(err,
		    "mount at \"%.64s\": must be an absolute path of less "
		    "than %d bytes",
		    destination, PATH_LEN_MAX);
	m->destination = path_clean(destination);
	if (check_destination(destination, m->destination, err) == -1 ||
	    check_mappings(o, m->destination, err) == -1)
		return -1;
	if (strcmp(type, "bind") == 0 || has_bind_option(options)) {
		m->kind = MOUNT_BIND;
		m->type = xstrdup("share");
		if (source[0] == '\0')
			return err_set(err,
			    "mount at \"%.256s\": bind mount without a source",
			    m->destination);
		m->source = path_join(bundle, source);
	} else {
		m->kind = MOUNT_GUEST;
		m->type =
		    xstrdup(strcmp(type, "cgroup2") == 0 ? "cgroup" : type);
		if (check_type(m->type, m->destination, err) == -1)
			return -1;
		m->source = xstrdup(source[0] != '\0' ? source : m->type);
	}
	return take_options(m, options, err);
}

static struct mount *
append(struct mounts *m)
{
	m->v = xreallocarray(m->v, m->n + 1, sizeof(*m->v));
	m->v[m->n] = (struct mount){0};
	return &m->v[m->n++];
}

int
mounts_parse(struct mounts *m, struct json_object *config, const char *bundle,
    struct err *err)
{
	struct json_object *a = NULL;

	*m = (struct mounts){0};
	if (json_opt_arr(config, "config.json", "mounts", &a, err) == -1)
		return -1;
	if (a == NULL)
		return 0;
	if (json_object_array_length(a) > MOUNTS_MAX)
		return err_set(
		    err, "config.json: more than %d mounts", MOUNTS_MAX);
	for (size_t i = 0; i < json_object_array_length(a); i++) {
		struct json_object *o = json_object_array_get_idx(a, i);

		if (!is_disk(o) && parse_one(append(m), o, bundle, err) == -1)
			return -1;
	}
	return 0;
}

void
mounts_free(struct mounts *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].destination);
		free(m->v[i].type);
		free(m->v[i].source);
		strlist_free(&m->v[i].options);
	}
	free(m->v);
	*m = (struct mounts){0};
}

/*
 * With --ipc shareable (Docker) and always (Podman) the engine makes the
 * tmpfs of /dev/shm itself. Memory is not shared across VMs; one of the same
 * size in the guest is what the process needs. The host's own /dev/shm, given
 * as a volume, is a volume.
 */
static bool
is_engines_shm(const struct mount *m, const struct path_fact *fact)
{
	return strcmp(m->destination, "/dev/shm") == 0 && fact->tmpfs &&
	    strcmp(m->source, "/dev/shm") != 0;
}

static void
become_shm(struct mount *m, const struct path_fact *fact)
{
	m->kind = MOUNT_GUEST;
	free(m->type);
	m->type = xstrdup("tmpfs");
	free(m->source);
	m->source = xstrdup("shm");
	strlist_free(&m->options);
	strlist_add(&m->options, "nosuid");
	strlist_add(&m->options, "noexec");
	strlist_add(&m->options, "nodev");
	strlist_add(&m->options, "mode=1777");
	if (fact->tmpfs_size > 0)
		strlist_take(&m->options,
		    xasprintf(
			"size=%llu", (unsigned long long)fact->tmpfs_size));
}

static int
check_source(
    const struct mount *m, const struct path_fact *fact, struct err *err)
{
	static const char *const what[] = {
	    [PATH_KIND_SOCKET] = "a socket",
	    [PATH_KIND_FIFO] = "a FIFO",
	    [PATH_KIND_DEVICE] = "a device",
	};

	switch (fact->kind) {
	case PATH_KIND_MISSING:
		return err_set(err, "mount at \"%.256s\": %.256s: %s",
		    m->destination, m->source, strerror(fact->error));
	case PATH_KIND_SOCKET:
	case PATH_KIND_FIFO:
	case PATH_KIND_DEVICE:
		return err_set(err,
		    "mount at \"%.256s\": %.256s is %s, which cannot cross "
		    "into a VM; allowed: directories and regular files",
		    m->destination, m->source, what[fact->kind]);
	default:
		return 0;
	}
}

int
mounts_resolve(struct mounts *m, const struct hostfacts *facts, struct err *err)
{
	unsigned volume = 0;

	for (size_t i = 0; i < m->n; i++) {
		struct mount *mnt = &m->v[i];
		const struct path_fact *fact;

		if (mnt->kind != MOUNT_BIND)
			continue;
		if ((fact = hostfacts_path(facts, mnt->source)) == NULL)
			return err_set(
			    err, "%.256s: not looked at", mnt->source);
		if (is_engines_shm(mnt, fact)) {
			become_shm(mnt, fact);
			continue;
		}
		if (check_source(mnt, fact, err) == -1)
			return -1;
		mnt->file = fact->kind == PATH_KIND_FILE;
		mnt->volume = volume++;
	}
	return 0;
}

static bool
has_mount_at(const struct mounts *m, const char *destination)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].destination, destination) == 0)
			return true;
	return false;
}

int
mounts_add_tmpfs(struct mounts *m, const struct strlist *paths, struct err *err)
{
	/* as docker run --tmpfs without options */
	static const char *const options[] = {"nosuid", "nodev", "noexec"};

	for (size_t i = 0; i < paths->n; i++) {
		AUTO_FREE char *destination = path_clean(paths->v[i]);
		struct mount *mnt;

		if (check_destination(paths->v[i], destination, err) == -1)
			return err_prefix(err, "--tmpfs");
		if (has_mount_at(m, destination))
			continue;
		mnt = append(m);
		mnt->kind = MOUNT_GUEST;
		mnt->destination = xstrdup(destination);
		mnt->type = xstrdup("tmpfs");
		mnt->source = xstrdup("tmpfs");
		for (size_t j = 0; j < 3; j++)
			strlist_add(&mnt->options, options[j]);
	}
	return 0;
}
