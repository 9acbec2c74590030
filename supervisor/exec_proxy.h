/* SPDX-License-Identifier: Apache-2.0
 * One client of runq-exec whose certificate was verified, joined to its
 * session in the guest. */
#ifndef SUPERVISOR_EXEC_PROXY_H
#define SUPERVISOR_EXEC_PROXY_H

#include <stddef.h>

struct bufferevent;
struct channel;
struct event_base;
struct exec_proxy;
struct json_object;
struct sessions;

/* What all of them share; outlives them. */
struct exec_proxy_env {
	struct event_base *base;
	struct channel *guest;
	struct sessions *sessions;
	size_t *spare;	/* for channel_share() */
	const char *id; /* the container's */
	struct json_object *container;
	/* the guest's channel has new output */
	void (*kick)(void *arg);
	/* the client is gone and so is its process: to be freed now */
	void (*over)(void *arg, struct exec_proxy *p);
	void *arg;
};

/* Says HELLO and waits for EXEC, not for long. bev is owned from here on, also
 * after a failure. NULL: no memory. */
struct exec_proxy *exec_proxy_new(
    const struct exec_proxy_env *env, struct bufferevent *bev, const char *who);
void exec_proxy_free(struct exec_proxy *p);

#endif
