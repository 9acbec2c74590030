/* SPDX-License-Identifier: Apache-2.0
 * Machine facts: finding them by architecture. */
#include "supervisor/machine.h"

#include <stddef.h>
#include <string.h>

static const struct machine *const machines[] = {
    &machine_x86_64,
    &machine_s390x,
};

const struct machine *
machine_find(const char *arch)
{
	for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++)
		if (strcmp(machines[i]->arch, arch) == 0)
			return machines[i];
	return NULL;
}
