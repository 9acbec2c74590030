/* SPDX-License-Identifier: Apache-2.0
 * Resource limits by the names of the OCI runtime-spec. */
#include "runtime/limits.h"

#include <sys/resource.h>

#include "lib/rlimit_names.h"

void
limits_collect(struct limits *l)
{
	struct rlimit r;

	l->n = 0;
	for (size_t i = 0; i < RLIMIT_NAMES; i++)
		if (getrlimit(
			(__rlimit_resource_t)rlimit_names[i].resource, &r) == 0)
			l->v[l->n++] = (struct limit){
			    rlimit_names[i].name, r.rlim_cur, r.rlim_max};
}
