/* SPDX-License-Identifier: Apache-2.0
 * What runq-exec and the supervisors agree on. */
#include "lib/rexec.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "runq-exec/"

void
rexec_name(const char *id, char name[REXEC_NAME_SIZE])
{
	snprintf(name, REXEC_NAME_SIZE, "%s", id);
}

int
rexec_addr(
    const char *id, struct sockaddr_un *sa, socklen_t *len, struct err *err)
{
	size_t n = strlen(PREFIX) + strlen(id);

	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (n > sizeof sa->sun_path - 2)
		return err_set(err,
		    "container id %.100s...: too long for "
		    "runq-exec",
		    id);
	/* abstract: the first byte is NUL, the length ends the name */
	memcpy(sa->sun_path + 1, PREFIX, strlen(PREFIX));
	memcpy(sa->sun_path + 1 + strlen(PREFIX), id, strlen(id));
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
	return 0;
}
