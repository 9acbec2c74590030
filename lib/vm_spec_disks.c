/* SPDX-License-Identifier: Apache-2.0
 * The disks of the VM spec as a document: written, and read back strictly. */
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/vm_spec.h"

void
vm_disks_free(struct vm_spec *spec)
{
	for (size_t i = 0; i < spec->n_disks; i++)
		free(spec->disks[i].id);
	free(spec->disks);
	spec->disks = NULL;
	spec->n_disks = 0;
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

static struct json_object *
disk_json(const struct vm_disk *d)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL || add(o, "id", json_object_new_string(d->id)) == -1 ||
	    add(o, "format",
		json_object_new_string(vm_disk_format_name(d->format))) == -1 ||
	    add(o, "cache",
		json_object_new_string(vm_disk_cache_name(d->cache))) == -1 ||
	    add(o, "readonly", json_object_new_boolean(d->readonly)) == -1) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

int
vm_disks_add(struct json_object *spec_o, const struct vm_spec *spec)
{
	struct json_object *a;

	if (spec->n_disks == 0)
		return 0;
	a = json_object_new_array();
	for (size_t i = 0; a != NULL && i < spec->n_disks; i++) {
		struct json_object *o = disk_json(&spec->disks[i]);

		if (o == NULL || json_object_array_add(a, o) != 0) {
			json_object_put(o);
			json_object_put(a);
			return -1;
		}
	}
	return add(spec_o, "disks", a);
}

static int
check_unique(const struct vm_spec *spec, const char *id, struct err *err)
{
	for (size_t i = 0; i < spec->n_disks; i++)
		if (strcmp(spec->disks[i].id, id) == 0)
			return err_set(err, "\"%s\" is there twice", id);
	return 0;
}

static int
parse_disk(struct json_object *o, const char *where, struct vm_spec *spec,
    struct err *err)
{
	static const char *const known[] = {
	    "id", "format", "cache", "readonly", NULL};
	struct vm_disk d = {.id = NULL};
	const char *id, *format, *cache;

	if (!json_object_is_type(o, json_type_object))
		return err_set(err, "%s: not an object", where);
	if (json_only(o, where, known, err) == -1 ||
	    json_need_str(o, where, "id", &id, err) == -1 ||
	    json_need_str(o, where, "format", &format, err) == -1 ||
	    json_need_str(o, where, "cache", &cache, err) == -1 ||
	    json_opt_bool(o, where, "readonly", &d.readonly, err) == -1)
		return -1;
	if (vm_disk_id_check(id, err) == -1 ||
	    check_unique(spec, id, err) == -1)
		return err_prefix(err, "%s.id", where);
	if (vm_disk_format_parse(format, &d.format, err) == -1)
		return err_prefix(err, "%s.format", where);
	if (vm_disk_cache_parse(cache, &d.cache, err) == -1)
		return err_prefix(err, "%s.cache", where);
	if ((d.id = strdup(id)) == NULL)
		return err_set(err, "out of memory");
	spec->disks[spec->n_disks++] = d;
	return 0;
}

int
vm_disks_parse(
    struct json_object *spec_o, struct vm_spec *spec, struct err *err)
{
	struct json_object *a = NULL;
	char where[24];
	size_t n;

	if (json_opt_arr(spec_o, "spec", "disks", &a, err) == -1)
		return -1;
	if (a == NULL)
		return 0;
	if ((n = json_object_array_length(a)) > VM_DISKS_MAX)
		return err_set(
		    err, "spec.disks: %zu (allowed: %d)", n, VM_DISKS_MAX);
	if ((spec->disks = calloc(n + 1, sizeof(*spec->disks))) == NULL)
		return err_set(err, "out of memory");
	for (size_t i = 0; i < n; i++) {
		snprintf(where, sizeof(where), "disks[%zu]", i);
		if (parse_disk(json_object_array_get_idx(a, i), where, spec,
			err) == -1)
			return -1;
	}
	return 0;
}
