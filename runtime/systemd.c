/* SPDX-License-Identifier: Apache-2.0
 * RUNQ_SYSTEMD: a container whose entry point is systemd.
 *
 * With CAP_SYS_ADMIN systemd mounts what it needs itself, control groups too,
 * so the mount of them is taken away. Without it systemd takes what it finds:
 * then the control groups are mounted, writable, and /run and /run/lock are
 * tmpfs. */
#include "runtime/systemd.h"

#include <string.h>

#include "runtime/jbuild.h"
#include "runtime/strlist.h"

static struct json_object *
member(struct json_object *o, const char *a, const char *b)
{
	return json_object_object_get(json_object_object_get(o, a), b);
}

static const char *
str(struct json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

static bool
has_capability(struct json_object *container, const char *name)
{
	struct json_object *caps = member(container, "process", "capabilities");
	struct json_object *a = json_object_object_get(caps, "effective");

	for (size_t i = 0; a != NULL && i < json_object_array_length(a); i++)
		if (strcmp(
			json_object_get_string(json_object_array_get_idx(a, i)),
			name) == 0)
			return true;
	return false;
}

static void
make_writable(struct json_object *mount)
{
	struct json_object *from = json_object_object_get(mount, "options");
	struct json_object *to = jb_arr();

	for (size_t i = 0; from != NULL && i < json_object_array_length(from);
	     i++) {
		struct json_object *v = json_object_array_get_idx(from, i);

		if (strcmp(json_object_get_string(v), "ro") != 0)
			jb_push(to, json_object_get(v));
	}
	jb_set(mount, "options", to);
}

static struct json_object *
tmpfs(const char *destination, const char *mode)
{
	const char *const options[] = {"nosuid", "nodev", mode};
	struct json_object *o = jb_obj();

	jb_str(o, "destination", destination);
	jb_str(o, "type", "tmpfs");
	jb_str(o, "source", "tmpfs");
	jb_set(o, "options", jb_strv(options, 3));
	return o;
}

static bool
has_mount(struct json_object *mounts, const char *destination)
{
	for (size_t i = 0; i < json_object_array_length(mounts); i++)
		if (strcmp(str(json_object_array_get_idx(mounts, i),
			       "destination"),
			destination) == 0)
			return true;
	return false;
}

/*
 * Mounts are in order: /run comes before what the bundle has below it, and
 * /run/lock directly behind.
 */
static void
change_mounts(struct json_object *container, bool admin)
{
	struct json_object *from = json_object_object_get(container, "mounts");
	struct json_object *to = jb_arr();
	bool lock = !admin && !has_mount(from, "/run/lock");

	if (!admin && !has_mount(from, "/run")) {
		jb_push(to, tmpfs("/run", "mode=755"));
		if (lock)
			jb_push(to, tmpfs("/run/lock", "mode=1777"));
	}
	for (size_t i = 0; i < json_object_array_length(from); i++) {
		struct json_object *m = json_object_array_get_idx(from, i);

		if (strcmp(str(m, "type"), "cgroup") == 0) {
			if (admin)
				continue;
			make_writable(m);
		}
		jb_push(to, json_object_get(m));
		if (lock && strcmp(str(m, "destination"), "/run") == 0)
			jb_push(to, tmpfs("/run/lock", "mode=1777"));
	}
	jb_set(container, "mounts", to);
}

/* systemd then leaves alone what is the host's part: devices, the clock. */
static void
name_container(struct json_object *container)
{
	static const char var[] = "container=";
	struct json_object *env = member(container, "process", "env");

	for (size_t i = 0; i < json_object_array_length(env); i++)
		if (strncmp(json_object_get_string(
				json_object_array_get_idx(env, i)),
			var, sizeof(var) - 1) == 0)
			return;
	jb_push_str(env, "container=docker");
}

void
systemd_prepare(struct json_object *container, struct strlist *warnings)
{
	change_mounts(container, has_capability(container, "CAP_SYS_ADMIN"));
	name_container(container);
	jb_bool(container, "systemd", true);
	if (!has_capability(container, "CAP_SYS_BOOT"))
		strlist_add(warnings,
		    "RUNQ_SYSTEMD: without --cap-add SYS_BOOT reboot ends the "
		    "container with 0, as poweroff does");
}
