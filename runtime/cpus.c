/* SPDX-License-Identifier: Apache-2.0
 * How many CPUs the guest gets. */
#include "runtime/cpus.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/vm_spec.h"
#include "runtime/hostfacts.h"
#include "runtime/settings.h"

#define PERIOD                                                                 \
	100000 /* us, the kernel's: admin-guide/cgroup-v2.rst, cpu.max         \
		*/
#define CPUSET_MAX 65536

struct limits_of {
	int64_t quota, period; /* quota 0: none */
	const char *set;       /* "0-3,7"; "": all */
};

static int
get_limits(struct json_object *config, struct limits_of *l, struct err *err)
{
	struct json_object *o = NULL, *r = NULL, *cpu = NULL;
	const char *w = "linux.resources.cpu";

	*l = (struct limits_of){0, PERIOD, ""};
	if (json_opt_obj(config, "config.json", "linux", &o, err) == -1 ||
	    (o != NULL &&
		json_opt_obj(o, "linux", "resources", &r, err) == -1) ||
	    (r != NULL &&
		json_opt_obj(r, "linux.resources", "cpu", &cpu, err) == -1))
		return -1;
	if (cpu == NULL)
		return 0;
	return json_opt_int(cpu, w, "quota", INT64_MIN, INT64_MAX, &l->quota,
		   err) == -1 ||
		json_opt_int(cpu, w, "period", 0, INT64_MAX, &l->period, err) ==
		    -1 ||
		json_opt_str(cpu, w, "cpus", &l->set, err) == -1
	    ? -1
	    : 0;
}

/* The CPUs in a list as cpuset(7) has it, "List Format"; 0: not one. */
static unsigned
count_set(const char *set)
{
	unsigned n = 0;

	while (*set != '\0') {
		unsigned long first, last;
		char *end;

		first = last = strtoul(set, &end, 10);
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (end == set || last < first || last >= CPUSET_MAX ||
		    (*end != ',' && *end != '\0'))
			return 0;
		n += (unsigned)(last - first) + 1;
		set = end + (*end == ',');
	}
	return n;
}

static void
cap(unsigned *n, unsigned max)
{
	if (max > 0 && *n > max)
		*n = max;
}

int
cpus_derive(struct json_object *config, const struct settings *s,
    const struct hostfacts *facts, struct cpus *cpus, struct err *err)
{
	struct limits_of l;
	unsigned set;

	*cpus = (struct cpus){.n = s->cpu};
	if (get_limits(config, &l, err) == -1)
		return -1;
	set = count_set(l.set);
	if (s->cpu_by_env || (l.quota <= 0 && set == 0))
		return 0;
	cpus->by_limit = true;
	cpus->n = set;
	if (l.quota > 0) {
		if (l.period == 0)
			l.period = PERIOD;
		cpus->n = VM_CPU_MAX;
		if (l.quota / l.period < VM_CPU_MAX)
			cpus->n = (unsigned)(l.quota / l.period) +
			    (l.quota % l.period != 0);
		cap(&cpus->n, set);
	}
	cap(&cpus->n, facts->cpus);
	cap(&cpus->n, VM_CPU_MAX);
	return 0;
}
