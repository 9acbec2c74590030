/* SPDX-License-Identifier: Apache-2.0
 * START carried out for the VM as a whole: clock, entropy, share, network;
 * what is the container's alone goes on to container.h. */
#ifndef GUEST_AGENT_START_H
#define GUEST_AGENT_START_H

#include "guest-agent/container.h"
#include "lib/err.h"

struct json_object;

struct copytree_progress;

/* Checks doc and prepares the VM; NULL with err otherwise. progress is called
 * now and then when it takes long. */
struct container *start_prepare(struct json_object *doc,
    const struct copytree_progress *progress, struct err *err);

struct session;

/* Docker's DNS server is to be served. */
bool start_wants_dns(struct json_object *doc);

/* What START or EXEC says of a session's stdio: the terminal's size, or that
 * stdin is /dev/null. */
int start_stdio(struct json_object *doc, struct session *s, struct err *err);

#endif
