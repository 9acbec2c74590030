/* SPDX-License-Identifier: Apache-2.0
 * DNS servers that were given by the name of a container. */
#ifndef SUPERVISOR_DNS_NAME_H
#define SUPERVISOR_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

struct json_object;

/*
 * Puts an address in the place of each name in dns.servers; Docker's DNS
 * server knows it, when there is one (docker). resolv.conf(5) has no names.
 * dns may be NULL. Waits for answers, a few seconds at most.
 */
int dns_name_servers(struct json_object *dns, bool docker, struct err *err);

/* The first A record of an answer (RFC 1035, 4.1) as text; false: none. */
#define DNS_NAME_TEXT 16
bool dns_name_parse(
    const unsigned char *answer, size_t len, char text[DNS_NAME_TEXT]);

#endif
