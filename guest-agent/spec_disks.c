/* SPDX-License-Identifier: Apache-2.0
 * The disks of the container as START describes them. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-agent/spec.h"
#include "lib/json.h"
#include "lib/vm_spec.h"

#define EXCLUDES_MAX 32

static int
check_strings(const struct disk_spec *d, const char *where, struct err *err)
{
	if (vm_disk_id_check(d->id, err) == -1)
		return err_prefix(err, "%s.id", where);
	if (d->fstype != NULL && vm_fstype_check(d->fstype, err) == -1)
		return err_prefix(err, "%s.fstype", where);
	if (d->mountpoint != NULL &&
	    (d->mountpoint[0] != '/' || strlen(d->mountpoint) >= PATH_MAX))
		return err_set(err,
		    "%s.mountpoint: \"%.256s\" is not an absolute path", where,
		    d->mountpoint);
	if ((d->mountpoint != NULL || d->root) && d->fstype == NULL)
		return err_set(err, "%s.fstype: missing", where);
	return 0;
}

static int
parse_disk(struct json_object *o, const char *where, struct container_spec *c,
    struct disk_spec *d, struct err *err)
{
	if (json_need_str(o, where, "id", &d->id, err) == -1 ||
	    json_opt_str(o, where, "fstype", &d->fstype, err) == -1 ||
	    json_opt_str(o, where, "mountpoint", &d->mountpoint, err) == -1 ||
	    json_opt_bool(o, where, "readonly", &d->readonly, err) == -1 ||
	    json_opt_bool(o, where, "root", &d->root, err) == -1 ||
	    check_strings(d, where, err) == -1)
		return -1;
	if (!d->root)
		return 0;
	if (c->root_disk != NULL)
		return err_set(err, "%s.root: there is one already", where);
	c->root_disk = d;
	return 0;
}

static int
parse_excludes(struct json_object *o, struct container_spec *c, struct err *err)
{
	if (json_opt_strv(o, "container", "rootExclude", &c->root_exclude,
		&c->n_root_exclude, err) == -1)
		return -1;
	if (c->n_root_exclude > EXCLUDES_MAX)
		return err_set(err, "container.rootExclude: %zu (allowed: %d)",
		    c->n_root_exclude, EXCLUDES_MAX);
	for (size_t i = 0; i < c->n_root_exclude; i++)
		if (c->root_exclude[i][0] != '/')
			return err_set(err,
			    "container.rootExclude: \"%.256s\" is not an "
			    "absolute path",
			    c->root_exclude[i]);
	return 0;
}

int
disk_specs_parse(
    struct json_object *container, struct container_spec *c, struct err *err)
{
	struct json_object *a = NULL;
	char where[24];
	size_t n;

	if (json_opt_arr(container, "container", "disks", &a, err) == -1 ||
	    parse_excludes(container, c, err) == -1)
		return -1;
	if (a == NULL)
		return 0;
	if ((n = json_object_array_length(a)) > VM_DISKS_MAX)
		return err_set(
		    err, "container.disks: %zu (allowed: %d)", n, VM_DISKS_MAX);
	if ((c->disks = calloc(n + 1, sizeof(*c->disks))) == NULL)
		return err_sys(err, "container.disks");
	for (size_t i = 0; i < n; i++) {
		snprintf(where, sizeof(where), "disks[%zu]", i);
		if (parse_disk(json_object_array_get_idx(a, i), where, c,
			&c->disks[i], err) == -1)
			return -1;
		c->n_disks++;
	}
	return 0;
}
