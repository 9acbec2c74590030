/* SPDX-License-Identifier: Apache-2.0
 * RUNQ_SYSTEMD: a container whose entry point is systemd. */
#ifndef RUNTIME_SYSTEMD_H
#define RUNTIME_SYSTEMD_H

struct json_object;
struct strlist;

/*
 * Changes the guest's container, as guest_container() made it, to what systemd
 * expects (systemd.io/CONTAINER_INTERFACE), and tells the agent. What the user
 * left out and will miss becomes a line of warnings.
 */
void systemd_prepare(struct json_object *container, struct strlist *warnings);

#endif
