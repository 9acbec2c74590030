/* SPDX-License-Identifier: Apache-2.0
 * Resource limits by name. */
#include "guest-agent/rlimits.h"

#include <inttypes.h>
#include <string.h>

#include "lib/json.h"
#include "lib/rlimit_names.h"

static const char *
name_of(int resource)
{
	for (size_t i = 0; i < RLIMIT_NAMES; i++)
		if (rlimit_names[i].resource == resource)
			return rlimit_names[i].name;
	return "?";
}

static int
find(const char *name, const char *where, int *resource, struct err *err)
{
	const struct rlimit_name *r = rlimit_by_name(name);

	if (r != NULL) {
		*resource = r->resource;
		return 0;
	}
	return err_set(err,
	    "%s: \"%.64s\" is not a resource limit (allowed: the names of "
	    "getrlimit(2), such as RLIMIT_NOFILE)",
	    where, name);
}

/* The numbers are 64 bits wide; RLIM_INFINITY is the largest of them. */
static int
read_one(struct json_object *o, const char *where, struct rlimits *out,
    struct err *err)
{
	const char *type;
	uint64_t soft = 0, hard = 0;
	int resource = -1;

	if (json_need_str(o, where, "type", &type, err) == -1 ||
	    json_opt_u64(o, where, "soft", &soft, err) == -1 ||
	    json_opt_u64(o, where, "hard", &hard, err) == -1 ||
	    find(type, where, &resource, err) == -1)
		return -1;
	if (soft > hard)
		return err_set(err,
		    "%s: soft limit %" PRIu64 " of %s is above its hard limit "
		    "%" PRIu64,
		    where, soft, type, hard);
	for (size_t i = 0; i < out->n; i++)
		if (out->v[i].resource == resource)
			return err_set(err, "%s: %s twice", where, type);
	out->v[out->n].resource = resource;
	out->v[out->n].limit.rlim_cur = soft;
	out->v[out->n].limit.rlim_max = hard;
	out->n++;
	return 0;
}

int
rlimits_read(struct json_object *array, const char *where, struct rlimits *out,
    struct err *err)
{
	out->n = 0;
	if (array == NULL)
		return 0;
	for (size_t i = 0; i < json_object_array_length(array); i++)
		if (read_one(json_object_array_get_idx(array, i), where, out,
			err) == -1)
			return -1;
	return 0;
}

int
rlimits_apply(const struct rlimits *limits, struct err *err)
{
	for (size_t i = 0; i < limits->n; i++)
		if (setrlimit((__rlimit_resource_t)limits->v[i].resource,
			&limits->v[i].limit) == -1)
			return err_sys(
			    err, "set %s", name_of(limits->v[i].resource));
	return 0;
}
