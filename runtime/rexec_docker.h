/* SPDX-License-Identifier: Apache-2.0
 * Asks the Docker API which container a name or short id means. */
#ifndef RUNTIME_REXEC_DOCKER_H
#define RUNTIME_REXEC_DOCKER_H

#include <netdb.h>
#include <stdbool.h>
#include <sys/un.h>

#include "lib/err.h"

#define DOCKER_HOST_DEFAULT "unix:///var/run/docker.sock"

/* A parsed DOCKER_HOST. */
struct docker_host {
	bool tcp;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char host[NI_MAXHOST], port[NI_MAXSERV];
};

/* text: "unix:///PATH" or "tcp://HOST:PORT"; anything else is an error. */
int
docker_host_parse(const char *text, struct docker_host *out, struct err *err);

struct docker_container {
	char *id;      /* the full one */
	char *runtime; /* the name by which Docker knows it */
	bool noexec;   /* RUNQ_NOEXEC is in its environment */
};

/* Finds a running container. -1: no such one, several, or not running. The
 * caller frees *out. */
int docker_find(const struct docker_host *host, const char *name,
    struct docker_container *out, struct err *err);
void docker_container_free(struct docker_container *c);

/* Is that runtime runq? 1 yes, 0 no, -1: Docker does not say. */
int docker_runtime_is_runq(const struct docker_host *host, const char *runtime);

/* What the response of /containers/NAME/json says; for docker_find(). */
int docker_parse(const char *json, size_t len, const char *name,
    struct docker_container *out, struct err *err);

#endif
