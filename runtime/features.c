/* SPDX-License-Identifier: Apache-2.0
 * The command features: OCI runtime-spec features.md and features-linux.md. */
#include "runtime/features.h"

#include <stdio.h>

#include "config.h"
#include "lib/json.h"
#include "runtime/bundle.h"
#include "runtime/jbuild.h"
#include "runtime/oci.h"

static void
add_list(struct json_object *o, const char *key, const char *const *list)
{
	struct json_object *a = jb_set(o, key, jb_arr());

	for (; *list != NULL; list++)
		jb_push_str(a, *list);
}

static void
add_mount_options(struct json_object *o)
{
	struct json_object *a = jb_set(o, "mountOptions", jb_arr());

	for (const struct oci_option *m = oci_mount_options; m->name != NULL;
	     m++)
		if (m->place != OCI_OPTION_REFUSED)
			jb_push_str(a, m->name);
}

static void
add_enabled(struct json_object *o, const char *key, bool enabled)
{
	jb_bool(jb_set(o, key, jb_obj()), "enabled", enabled);
}

/* The cgroup is the delegate's, the seccomp filter the guest's. */
static void
add_linux(struct json_object *o)
{
	struct json_object *cgroup, *seccomp, *mount;

	add_list(o, "namespaces", oci_namespaces);
	add_list(o, "capabilities", oci_capabilities);
	cgroup = jb_set(o, "cgroup", jb_obj());
	jb_bool(cgroup, "v1", true);
	jb_bool(cgroup, "v2", true);
	jb_bool(cgroup, "systemd", true);
	jb_bool(cgroup, "systemdUser", false);
	jb_bool(cgroup, "rdma", true);
	seccomp = jb_set(o, "seccomp", jb_obj());
	jb_bool(seccomp, "enabled", true);
	add_list(seccomp, "actions", oci_seccomp_actions);
	add_list(seccomp, "operators", oci_seccomp_operators);
	add_list(seccomp, "archs", oci_seccomp_archs);
	add_enabled(o, "apparmor", false);
	add_enabled(o, "selinux", false);
	add_enabled(o, "intelRdt", true);
	mount = jb_set(o, "mountExtensions", jb_obj());
	add_enabled(mount, "idmap", false);
}

void
features_print(void)
{
	AUTO_JSON struct json_object *o = jb_obj();

	jb_str(o, "ociVersionMin", "1.0.0");
	jb_str(o, "ociVersionMax", "1.1.0");
	add_list(o, "hooks", oci_hooks);
	add_mount_options(o);
	add_linux(jb_set(o, "linux", jb_obj()));
	jb_str(jb_set(o, "annotations", jb_obj()), BUNDLE_ANNOTATION,
	    PACKAGE_VERSION);
	puts(json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
		JSON_C_TO_STRING_NOSLASHESCAPE));
}
