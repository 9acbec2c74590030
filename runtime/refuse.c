/* SPDX-License-Identifier: Apache-2.0
 * What a bundle may not ask for, because a VM cannot give it. */
#include "runtime/refuse.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "runtime/disks.h"
#include "runtime/hostfacts.h"
#include "runtime/oci.h"
#include "runtime/path.h"

/* The guest has these already; config-linux.md, "Default Devices". */
static const char *const default_devices[] = {"/dev/null", "/dev/zero",
    "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/console",
    "/dev/ptmx", NULL};

static int
check_version(struct json_object *config, struct err *err)
{
	const char *v;

	if (json_need_str(config, "config.json", "ociVersion", &v, err) == -1)
		return -1;
	if (strncmp(v, "1.", 2) != 0)
		return err_set(err,
		    "config.json: ociVersion \"%.64s\" is not supported; "
		    "allowed: 1.x",
		    v);
	return 0;
}

struct namespace
{
	bool present;
	const char *path; /* NULL: a new one */
};

/* The namespace of that type in linux.namespaces. */
static int
find_namespace(struct json_object *list, const char *type, struct namespace *ns,
    struct err *err)
{
	*ns = (struct namespace){0};
	for (size_t i = 0; list != NULL && i < json_object_array_length(list);
	     i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *w = "linux.namespaces[]", *t, *path = NULL;

		if (json_need_str(o, w, "type", &t, err) == -1 ||
		    json_opt_str(o, w, "path", &path, err) == -1)
			return -1;
		if (strcmp(t, "user") != 0 && !oci_known(oci_namespaces, t))
			return err_set(err,
			    "linux.namespaces: type \"%.64s\" is not "
			    "supported; allowed: cgroup, ipc, mount, network, "
			    "pid, uts",
			    t);
		if (strcmp(t, type) != 0)
			continue;
		ns->present = true;
		ns->path = path != NULL && path[0] != '\0' ? path : NULL;
	}
	return 0;
}

/* /proc/N/ns/net: the namespace of another container's process. */
static bool
is_process_ns(const char *path)
{
	const char *p = path;

	if (strncmp(p, "/proc/", 6) != 0)
		return false;
	p += 6;
	p += strspn(p, "0123456789");
	return p > path + 6 && strncmp(p, "/ns/", 4) == 0;
}

static int
check_network(
    struct json_object *list, const struct hostfacts *facts, struct err *err)
{
	struct namespace ns;

	if (find_namespace(list, "network", &ns, err) == -1)
		return -1;
	if (!ns.present || facts->netns_is_hosts)
		return err_set(err,
		    "--network host is not supported: the VM would take the "
		    "host's interfaces over; allowed: bridge, a user-defined "
		    "network, macvlan, none");
	if (ns.path != NULL && is_process_ns(ns.path))
		return err_set(err,
		    "--network container: (namespace %.128s) is not "
		    "supported: the VM would take the other container's "
		    "interfaces over; allowed: bridge, a user-defined "
		    "network, macvlan, none",
		    ns.path);
	return 0;
}

/* pid and ipc: a VM has a kernel of its own and shares neither. */
static int
check_own(struct json_object *list, const char *type, struct err *err)
{
	struct namespace ns;

	if (find_namespace(list, type, &ns, err) == -1)
		return -1;
	if (!ns.present)
		return err_set(err,
		    "--%s host is not supported: a VM has a kernel of its "
		    "own; allowed: --%s private%s",
		    type, type,
		    strcmp(type, "ipc") == 0 ? ", shareable or none" : "");
	if (ns.path != NULL)
		return err_set(err,
		    "--%s container: (namespace %.128s) is not supported: a "
		    "VM has a kernel of its own; allowed: --%s private",
		    type, ns.path, type);
	return 0;
}

static int
check_user_ns(
    struct json_object *linux_o, struct json_object *list, struct err *err)
{
	static const char *const keys[] = {"uidMappings", "gidMappings"};
	struct namespace ns;
	bool found;

	if (find_namespace(list, "user", &ns, err) == -1)
		return -1;
	found = ns.present;
	for (size_t i = 0; i < 2; i++) {
		struct json_object *a = NULL;

		if (json_opt_arr(linux_o, "linux", keys[i], &a, err) == -1)
			return -1;
		found |= a != NULL && json_object_array_length(a) > 0;
	}
	if (found)
		return err_set(err,
		    "userns-remap (a user namespace, uidMappings) is not "
		    "supported; allowed: --userns host");
	return 0;
}

static int
check_namespaces(
    struct json_object *linux_o, const struct hostfacts *facts, struct err *err)
{
	struct json_object *list = NULL;
	struct namespace ns;

	if (json_opt_arr(linux_o, "linux", "namespaces", &list, err) == -1)
		return -1;
	if (check_network(list, facts, err) == -1 ||
	    check_own(list, "pid", err) == -1 ||
	    check_own(list, "ipc", err) == -1 ||
	    check_user_ns(linux_o, list, err) == -1 ||
	    find_namespace(list, "mount", &ns, err) == -1)
		return -1;
	if (!ns.present || ns.path != NULL)
		return err_set(err,
		    "linux.namespaces: the mount namespace must be a new one");
	return 0;
}

bool
refuse_is_privileged(struct json_object *resources)
{
	struct json_object *rules;

	if (!json_object_object_get_ex(resources, "devices", &rules) ||
	    !json_object_is_type(rules, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(rules); i++) {
		struct json_object *r = json_object_array_get_idx(rules, i);
		const char *type = "a", *access = "";
		int64_t major = -1, minor = -1;
		bool allow = false;

		if (json_opt_bool(r, "", "allow", &allow, NULL) == -1 ||
		    json_opt_str(r, "", "type", &type, NULL) == -1 ||
		    json_opt_str(r, "", "access", &access, NULL) == -1 ||
		    json_opt_int(r, "", "major", -1, INT32_MAX, &major, NULL) ==
			-1 ||
		    json_opt_int(r, "", "minor", -1, INT32_MAX, &minor, NULL) ==
			-1)
			continue;
		if (allow && (type[0] == 'a' || type[0] == '\0') &&
		    major == -1 && minor == -1 && strpbrk(access, "rw") != NULL)
			return true;
	}
	return false;
}

static int
check_devices(struct json_object *linux_o, struct err *err)
{
	struct json_object *list = NULL, *resources = NULL;

	if (json_opt_arr(linux_o, "linux", "devices", &list, err) == -1 ||
	    json_opt_obj(linux_o, "linux", "resources", &resources, err) == -1)
		return -1;
	/* the host's whole list: the VM has its own devices */
	if (list == NULL || refuse_is_privileged(resources))
		return 0;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		AUTO_FREE char *clean = NULL;
		const char *path;

		if (json_need_str(json_object_array_get_idx(list, i),
			"linux.devices[]", "path", &path, err) == -1)
			return -1;
		if (oci_known(default_devices, path))
			continue;
		clean = path_clean(path);
		if (disks_is_disk(clean))
			continue;
		return err_set(err,
		    "--device %.256s: a host device cannot cross into a VM; "
		    "allowed: block devices below /dev/runq/",
		    path);
	}
	return 0;
}

static int
check_hooks(struct json_object *config, struct err *err)
{
	static const char *const kinds[] = {
	    "createContainer", "startContainer"};
	struct json_object *hooks = NULL;

	if (json_opt_obj(config, "config.json", "hooks", &hooks, err) == -1)
		return -1;
	for (size_t i = 0; hooks != NULL && i < 2; i++) {
		struct json_object *a = NULL;

		if (json_opt_arr(hooks, "hooks", kinds[i], &a, err) == -1)
			return -1;
		if (a != NULL && json_object_array_length(a) > 0)
			return err_set(err,
			    "hooks.%s is not supported: it would run in the "
			    "VM's container; allowed: prestart, "
			    "createRuntime, poststart, poststop",
			    kinds[i]);
	}
	return 0;
}

static int
check_linux_rest(struct json_object *linux_o, struct err *err)
{
	struct json_object *o = NULL;
	const char *domain = "LINUX", *listener = NULL;

	if (json_opt_obj(linux_o, "linux", "personality", &o, err) == -1 ||
	    (o != NULL &&
		json_opt_str(o, "linux.personality", "domain", &domain, err) ==
		    -1))
		return -1;
	if (strcmp(domain, "LINUX") != 0)
		return err_set(err,
		    "linux.personality: \"%.64s\" is not supported; allowed: "
		    "LINUX",
		    domain);
	o = NULL;
	if (json_opt_obj(linux_o, "linux", "seccomp", &o, err) == -1 ||
	    (o != NULL &&
		json_opt_str(
		    o, "linux.seccomp", "listenerPath", &listener, err) == -1))
		return -1;
	if (listener != NULL && listener[0] != '\0')
		return err_set(err,
		    "linux.seccomp.listenerPath: \"%.128s\" is not "
		    "supported: a listener cannot cross into a VM",
		    listener);
	return 0;
}

/* Limits in the kernel's own names would miss the VM's overhead. */
static int
check_unified(struct json_object *linux_o, struct err *err)
{
	static const char *const keys[] = {
	    "memory.max", "memory.high", "pids.max"};
	struct json_object *r = NULL, *o = NULL, *v;

	if (json_opt_obj(linux_o, "linux", "resources", &r, err) == -1 ||
	    (r != NULL &&
		json_opt_obj(r, "linux.resources", "unified", &o, err) == -1))
		return -1;
	for (size_t i = 0; o != NULL && i < 3; i++)
		if (json_object_object_get_ex(o, keys[i], &v))
			return err_set(err,
			    "linux.resources.unified: %s is not supported; "
			    "allowed: --memory, --pids-limit",
			    keys[i]);
	return 0;
}

int
refuse_check(
    struct json_object *config, const struct hostfacts *facts, struct err *err)
{
	struct json_object *linux_o;

	if (check_version(config, err) == -1)
		return -1;
	if (strcmp(facts->arch, "x86_64") != 0 &&
	    strcmp(facts->arch, "s390x") != 0)
		return err_set(err,
		    "this host is %.32s; supported: x86_64, s390x",
		    facts->arch);
	if (json_need_obj(config, "config.json", "linux", &linux_o, err) == -1)
		return -1;
	if (check_namespaces(linux_o, facts, err) == -1 ||
	    check_devices(linux_o, err) == -1 ||
	    check_hooks(config, err) == -1 ||
	    check_linux_rest(linux_o, err) == -1)
		return -1;
	return check_unified(linux_o, err);
}
