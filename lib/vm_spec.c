/* SPDX-License-Identifier: Apache-2.0
 * The VM spec as a document: written, and read back strictly. */
#include "lib/vm_spec.h"

#include <limits.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"

#define WARNINGS_MAX 256

/* Each value becomes part of a line of resolv.conf(5). */
#define DNS_CHARS                                                              \
	"abcdefghijklmnopqrstuvwxyz"                                           \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                           \
	"0123456789_.:-%"

void
vm_spec_init(struct vm_spec *spec)
{
	*spec = (struct vm_spec){
	    .cpus = VM_CPU_MIN,
	    .mem_mib = VM_MEM_MIN,
	    .boot_timeout = VM_BOOT_TIMEOUT_MIN,
	};
}

void
vm_tls_wipe(struct vm_tls *tls)
{
	if (tls->key != NULL)
		explicit_bzero(tls->key, strlen(tls->key));
	free(tls->ca);
	free(tls->cert);
	free(tls->key);
	*tls = (struct vm_tls){0};
}

void
vm_spec_free(struct vm_spec *spec)
{
	vm_tls_wipe(&spec->tls);
	vm_disks_free(spec);
	free(spec->id);
	free(spec->arch);
	free(spec->cpuargs);
	free(spec->cache_9p);
	free(spec->ap.uuid);
	for (char **w = spec->warnings; w != NULL && *w != NULL; w++)
		free(*w);
	free(spec->warnings);
	json_object_put(spec->container);
	json_object_put(spec->dns);
	vm_spec_init(spec);
}

static int
add(struct json_object *o, const char *key, struct json_object *v)
{
	if (v == NULL || json_object_object_add(o, key, v) != 0) {
		json_object_put(v);
		return -1;
	}
	return 0;
}

static int
add_str(struct json_object *o, const char *key, const char *s)
{
	return s == NULL ? 0 : add(o, key, json_object_new_string(s));
}

static int
add_int(struct json_object *o, const char *key, unsigned v)
{
	return add(o, key, json_object_new_int64(v));
}

static int
add_bool(struct json_object *o, const char *key, bool v)
{
	return add(o, key, json_object_new_boolean(v));
}

static struct json_object *
machine_json(const struct vm_spec *spec)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL || add_str(o, "arch", spec->arch) == -1 ||
	    add_str(o, "accel", vm_accel_name(spec->accel)) == -1 ||
	    add_int(o, "cpus", spec->cpus) == -1 ||
	    add_int(o, "mem_mib", spec->mem_mib) == -1 ||
	    add_str(o, "cpuargs", spec->cpuargs) == -1 ||
	    add_bool(o, "nestedvm", spec->nestedvm) == -1 ||
	    add_int(o, "boot_timeout", spec->boot_timeout) == -1) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

static struct json_object *
rootfs_json(const struct vm_spec *spec)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL ||
	    add_str(o, "type", vm_rootfs_name(spec->rootfs)) == -1 ||
	    add_str(o, "9pcache", spec->cache_9p) == -1) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

static struct json_object *
ap_json(const struct vm_ap *ap)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL || add_str(o, "uuid", ap->uuid) == -1 ||
	    add_int(o, "group", ap->group) == -1) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

static struct json_object *
tls_json(const struct vm_tls *tls)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL || add_str(o, "ca", tls->ca) == -1 ||
	    add_str(o, "cert", tls->cert) == -1 ||
	    add_str(o, "key", tls->key) == -1) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

static struct json_object *
warnings_json(const struct vm_spec *spec)
{
	struct json_object *a = json_object_new_array();

	for (char **w = spec->warnings; a != NULL && *w != NULL; w++) {
		struct json_object *s = json_object_new_string(*w);

		if (s == NULL || json_object_array_add(a, s) != 0) {
			json_object_put(s);
			json_object_put(a);
			return NULL;
		}
	}
	return a;
}

static int
fill(struct json_object *o, const struct vm_spec *spec)
{
	if (add_int(o, "version", VM_SPEC_VERSION) == -1 ||
	    add_str(o, "id", spec->id) == -1 ||
	    add_bool(o, "terminal", spec->terminal) == -1 ||
	    add(o, "machine", machine_json(spec)) == -1 ||
	    add(o, "rootfs", rootfs_json(spec)) == -1 ||
	    add_bool(o, "exec", spec->exec) == -1)
		return -1;
	if (spec->exec && add(o, "tls", tls_json(&spec->tls)) == -1)
		return -1;
	if (spec->warnings != NULL && spec->warnings[0] != NULL &&
	    add(o, "warnings", warnings_json(spec)) == -1)
		return -1;
	if (spec->ap.uuid != NULL && add(o, "ap", ap_json(&spec->ap)) == -1)
		return -1;
	if (vm_disks_add(o, spec) == -1)
		return -1;
	if (spec->dns != NULL &&
	    add(o, "dns", json_object_get(spec->dns)) == -1)
		return -1;
	return add(o, "container", json_object_get(spec->container));
}

char *
vm_spec_serialize(const struct vm_spec *spec, size_t *len)
{
	AUTO_JSON struct json_object *o = json_object_new_object();
	const char *text;
	char *copy;

	if (o == NULL || fill(o, spec) == -1)
		return NULL;
	text = json_object_to_json_string_length(
	    o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len);
	if (text == NULL || (copy = malloc(*len + 1)) == NULL)
		return NULL;
	memcpy(copy, text, *len + 1);
	return copy;
}

static int
dup_str(const char *s, char **out, struct err *err)
{
	if ((*out = strdup(s)) == NULL)
		return err_set(err, "out of memory");
	return 0;
}

static int
need_uint(struct json_object *o, const char *where, const char *key,
    unsigned min, unsigned max, unsigned *out, struct err *err)
{
	int64_t v;

	if (json_need_int(o, where, key, min, max, &v, err) == -1)
		return -1;
	*out = (unsigned)v;
	return 0;
}

static int
need_bool(struct json_object *o, const char *where, const char *key, bool *out,
    struct err *err)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v))
		return err_set(err, "%s.%s: missing", where, key);
	return json_opt_bool(o, where, key, out, err);
}

static int
parse_machine(struct json_object *spec_o, struct vm_spec *spec, struct err *err)
{
	static const char *const known[] = {"arch", "accel", "cpus", "mem_mib",
	    "cpuargs", "nestedvm", "boot_timeout", NULL};
	const char *w = "machine";
	const char *s, *cpuargs = NULL;
	struct json_object *o;

	if (json_need_obj(spec_o, "spec", w, &o, err) == -1 ||
	    json_only(o, w, known, err) == -1)
		return -1;
	if (json_need_str(o, w, "arch", &s, err) == -1)
		return -1;
	if (vm_arch_check(s, err) == -1)
		return err_prefix(err, "machine.arch");
	if (dup_str(s, &spec->arch, err) == -1 ||
	    json_need_str(o, w, "accel", &s, err) == -1)
		return -1;
	if (vm_accel_parse(s, &spec->accel, err) == -1)
		return err_prefix(err, "machine.accel");
	if (json_opt_str(o, w, "cpuargs", &cpuargs, err) == -1)
		return -1;
	if (cpuargs != NULL && vm_cpuargs_check(cpuargs, err) == -1)
		return err_prefix(err, "machine.cpuargs");
	if (cpuargs != NULL && dup_str(cpuargs, &spec->cpuargs, err) == -1)
		return -1;
	if (need_uint(o, w, "cpus", VM_CPU_MIN, VM_CPU_MAX, &spec->cpus, err) ==
		-1 ||
	    need_uint(o, w, "mem_mib", VM_MEM_MIN, VM_MEM_MAX, &spec->mem_mib,
		err) == -1 ||
	    need_uint(o, w, "boot_timeout", VM_BOOT_TIMEOUT_MIN,
		VM_BOOT_TIMEOUT_MAX, &spec->boot_timeout, err) == -1)
		return -1;
	return need_bool(o, w, "nestedvm", &spec->nestedvm, err);
}

static int
parse_rootfs(struct json_object *spec_o, struct vm_spec *spec, struct err *err)
{
	static const char *const known[] = {"type", "9pcache", NULL};
	const char *s, *cache = NULL;
	struct json_object *o;

	if (json_need_obj(spec_o, "spec", "rootfs", &o, err) == -1 ||
	    json_only(o, "rootfs", known, err) == -1 ||
	    json_need_str(o, "rootfs", "type", &s, err) == -1)
		return -1;
	if (vm_rootfs_parse(s, &spec->rootfs, err) == -1)
		return err_prefix(err, "rootfs.type");
	if (json_opt_str(o, "rootfs", "9pcache", &cache, err) == -1)
		return -1;
	if (cache == NULL)
		return 0;
	if (vm_9pcache_check(cache, err) == -1)
		return err_prefix(err, "rootfs.9pcache");
	return dup_str(cache, &spec->cache_9p, err);
}

static int
need_pem(struct json_object *o, const char *key, char **out, struct err *err)
{
	const char *s;
	size_t n;

	if (json_need_str(o, "tls", key, &s, err) == -1)
		return -1;
	n = strlen(s);
	if (n == 0 || n > VM_TLS_PEM_MAX)
		return err_set(err, "tls.%s: %zu bytes (allowed: 1 to %d)", key,
		    n, VM_TLS_PEM_MAX);
	return dup_str(s, out, err);
}

/* With exec, and only then. */
static int
parse_tls(struct json_object *spec_o, struct vm_spec *spec, struct err *err)
{
	static const char *const known[] = {"ca", "cert", "key", NULL};
	struct json_object *o = NULL;

	if (json_opt_obj(spec_o, "spec", "tls", &o, err) == -1)
		return -1;
	if (spec->exec != (o != NULL))
		return err_set(err,
		    "spec.tls: must be there with exec, and "
		    "only then");
	if (o == NULL)
		return 0;
	if (json_only(o, "tls", known, err) == -1 ||
	    need_pem(o, "ca", &spec->tls.ca, err) == -1 ||
	    need_pem(o, "cert", &spec->tls.cert, err) == -1 ||
	    need_pem(o, "key", &spec->tls.key, err) == -1)
		return -1;
	json_wipe_str(o, "key");
	return 0;
}

static int
parse_warnings(
    struct json_object *spec_o, struct vm_spec *spec, struct err *err)
{
	AUTO_FREE const char **v = NULL;
	size_t n;

	if (json_opt_strv(spec_o, "spec", "warnings", &v, &n, err) == -1)
		return -1;
	if (v == NULL)
		return 0;
	if (n > WARNINGS_MAX)
		return err_set(
		    err, "spec.warnings: more than %d", WARNINGS_MAX);
	if ((spec->warnings = calloc(n + 1, sizeof(char *))) == NULL)
		return err_set(err, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (dup_str(v[i], &spec->warnings[i], err) == -1)
			return -1;
	return 0;
}

static int
parse_dns(struct json_object *spec_o, struct vm_spec *spec, struct err *err)
{
	static const char *const known[] = {
	    "servers", "options", "search", NULL};
	struct json_object *o = NULL;

	if (json_opt_obj(spec_o, "spec", "dns", &o, err) == -1)
		return -1;
	if (o == NULL)
		return 0;
	if (json_only(o, "dns", known, err) == -1)
		return -1;
	for (const char *const *k = known; *k != NULL; k++) {
		AUTO_FREE const char **v = NULL;
		size_t n;

		if (json_opt_strv(o, "dns", *k, &v, &n, err) == -1)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (v[i][0] == '\0' ||
			    strspn(v[i], DNS_CHARS) != strlen(v[i]))
				return err_set(err,
				    "dns.%s: a value with other characters "
				    "than letters, digits and \"_.:-%%\"",
				    *k);
	}
	spec->dns = json_object_get(o);
	return 0;
}

static int
parse_ap(struct json_object *spec_o, struct vm_spec *spec, struct err *err)
{
	static const char *const known[] = {"uuid", "group", NULL};
	struct json_object *o = NULL;
	const char *uuid;

	if (json_opt_obj(spec_o, "spec", "ap", &o, err) == -1)
		return -1;
	if (o == NULL)
		return 0;
	if (json_only(o, "ap", known, err) == -1 ||
	    json_need_str(o, "ap", "uuid", &uuid, err) == -1)
		return -1;
	if (vm_apuuid_check(uuid, err) == -1)
		return err_prefix(err, "ap.uuid");
	if (need_uint(o, "ap", "group", 0, INT_MAX, &spec->ap.group, err) == -1)
		return -1;
	return dup_str(uuid, &spec->ap.uuid, err);
}

static int
parse_members(struct json_object *o, struct vm_spec *spec, struct err *err)
{
	static const char *const known[] = {"version", "id", "terminal",
	    "machine", "rootfs", "exec", "tls", "warnings", "disks", "ap",
	    "dns", "container", NULL};
	struct json_object *container;
	const char *id;
	int64_t version;

	/* the version first: it decides what the rest means */
	if (json_need_int(o, "spec", "version", VM_SPEC_VERSION,
		VM_SPEC_VERSION, &version, err) == -1 ||
	    json_only(o, "spec", known, err) == -1 ||
	    json_need_str(o, "spec", "id", &id, err) == -1)
		return -1;
	if (vm_id_check(id, err) == -1)
		return err_prefix(err, "spec.id");
	if (dup_str(id, &spec->id, err) == -1 ||
	    need_bool(o, "spec", "terminal", &spec->terminal, err) == -1 ||
	    need_bool(o, "spec", "exec", &spec->exec, err) == -1 ||
	    parse_machine(o, spec, err) == -1 ||
	    parse_rootfs(o, spec, err) == -1 || parse_tls(o, spec, err) == -1 ||
	    parse_warnings(o, spec, err) == -1 ||
	    vm_disks_parse(o, spec, err) == -1 ||
	    parse_ap(o, spec, err) == -1 || parse_dns(o, spec, err) == -1 ||
	    json_need_obj(o, "spec", "container", &container, err) == -1)
		return -1;
	spec->container = json_object_get(container);
	return 0;
}

int
vm_spec_parse(
    const char *text, size_t len, struct vm_spec *spec, struct err *err)
{
	AUTO_JSON struct json_object *o = NULL;

	vm_spec_init(spec);
	if ((o = json_parse(text, len, "VM spec", err)) == NULL)
		return -1;
	if (!json_object_is_type(o, json_type_object))
		return err_set(err, "VM spec: not an object");
	if (parse_members(o, spec, err) == -1)
		return err_prefix(err, "VM spec");
	return 0;
}
