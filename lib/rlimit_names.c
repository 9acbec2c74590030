/* SPDX-License-Identifier: Apache-2.0
 * Resource limits by the names of the OCI runtime-spec. */
#include "lib/rlimit_names.h"

#include <string.h>
#include <sys/resource.h>

const struct rlimit_name rlimit_names[RLIMIT_NAMES] = {
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
};

const struct rlimit_name *
rlimit_by_name(const char *name)
{
	for (size_t i = 0; i < RLIMIT_NAMES; i++)
		if (strcmp(rlimit_names[i].name, name) == 0)
			return &rlimit_names[i];
	return NULL;
}
