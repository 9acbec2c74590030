/* SPDX-License-Identifier: Apache-2.0
 * How much memory the guest gets, and the limit of the container around it. */
#include "runtime/memory.h"

#include <inttypes.h>

#include "lib/json.h"
#include "lib/vm_spec.h"
#include "runtime/jbuild.h"
#include "runtime/settings.h"

#define MIB (INT64_C(1) << 20)

/* The kernel's "no limit" is just below 2^63; nobody has half of that. */
#define NO_LIMIT (INT64_C(1) << 60)

static int
get_limit(struct json_object *config, int64_t *limit, struct err *err)
{
	struct json_object *o = NULL, *r = NULL, *m = NULL;

	*limit = 0;
	if (json_opt_obj(config, "config.json", "linux", &o, err) == -1 ||
	    (o != NULL &&
		json_opt_obj(o, "linux", "resources", &r, err) == -1) ||
	    (r != NULL &&
		json_opt_obj(r, "linux.resources", "memory", &m, err) == -1) ||
	    (m != NULL &&
		json_opt_int(m, "linux.resources.memory", "limit", INT64_MIN,
		    INT64_MAX, limit, err) == -1))
		return -1;
	if (*limit < 0 || *limit >= NO_LIMIT)
		*limit = 0;
	return 0;
}

int
memory_derive(struct json_object *config, const struct settings *s,
    struct memory *m, struct err *err)
{
	int64_t limit, mib;

	*m = (struct memory){.guest_mib = s->mem};
	if (get_limit(config, &limit, err) == -1)
		return -1;
	if (limit == 0)
		return 0;
	mib = limit / MIB;
	if (s->mem_by_env) {
		if (mib < (int64_t)s->mem + VM_OVERHEAD_MIB)
			return err_set(err,
			    "--memory: %" PRId64 " MiB is too small for "
			    "RUNQ_MEM=%u: the VM needs %u MiB (%u and %d for "
			    "QEMU); raise it, or leave RUNQ_MEM out",
			    mib, s->mem, s->mem + VM_OVERHEAD_MIB, s->mem,
			    VM_OVERHEAD_MIB);
		return 0;
	}
	if (mib > VM_MEM_MAX)
		return err_set(err,
		    "--memory: %" PRId64 " MiB for the VM; allowed: up to %d "
		    "MiB",
		    mib, VM_MEM_MAX);
	m->raise = VM_OVERHEAD_MIB * MIB;
	if (mib < VM_MEM_MIN) {
		m->group_limit = limit;
		m->raise += VM_MEM_MIN * MIB - limit;
		mib = VM_MEM_MIN;
	}
	m->guest_mib = (unsigned)mib;
	return 0;
}

void
memory_raise(const struct memory *m, struct json_object *resources)
{
	/* swap is memory and swap together: config-linux.md, "Memory" */
	static const char *const keys[] = {"limit", "swap"};
	struct json_object *mem, *v;

	if (m->raise == 0 ||
	    !json_object_object_get_ex(resources, "memory", &mem))
		return;
	for (size_t i = 0; i < 2; i++) {
		int64_t bytes;

		if (!json_object_object_get_ex(mem, keys[i], &v) ||
		    !json_object_is_type(v, json_type_int))
			continue;
		bytes = json_object_get_int64(v);
		if (bytes > 0 && bytes < NO_LIMIT)
			jb_int(mem, keys[i], bytes + m->raise);
	}
}
