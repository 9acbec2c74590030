/* SPDX-License-Identifier: Apache-2.0
 * The container in the guest: the namespaces, root and mounts of the entry
 * point, and the processes that are started in them. All that START or EXEC
 * says is parsed and checked here. */
#ifndef GUEST_AGENT_CONTAINER_H
#define GUEST_AGENT_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

struct container;
struct copytree_progress;
struct json_object;

/* What a process is given as 0, 1 and 2: pipe ends (borrowed), or a terminal
 * that is made for it in the container's devpts. */
struct process_io {
	int fds[3]; /* fds[0] -1: the container's /dev/null */
	bool terminal;
	uint32_t rows, columns; /* 0: unknown */
	bool no_onlcr;		/* the terminal leaves \n alone */
};

/* A process on its way to exec(2). */
struct process {
	pid_t pid;     /* in the agent's pid namespace; a child of the agent,
			* which reaps it */
	int report_fd; /* non-blocking; see process_report() */
	bool ready;    /* private to process_report() */
};

/* -1: bad document, or out of memory. container is "container" of START, dns
 * may be NULL. Nothing is done yet; freed by container_free(). */
struct container *container_new(
    struct json_object *container, struct json_object *dns, struct err *err);
void container_free(struct container *c);

/*
 * Finds and mounts the disks, and copies the image to a root disk that has no
 * copy yet. container_release() leaves their file systems in order, when no
 * process of the container is left; it may be called at any time, c may be
 * NULL, and it syncs in any case.
 */
int container_attach(struct container *c,
    const struct copytree_progress *progress, struct err *err);
void container_release(struct container *c);

/* For the agent: which shares and devices it needs, and its terminal flag. */
bool container_terminal(const struct container *c);

/* The entry point is systemd; see session_systemd(). */
bool container_systemd(const struct container *c);

/* The port where Docker's DNS server is served (dns_redirect.h). Before the
 * start. */
int container_set_dns(struct container *c, uint16_t port, struct err *err);

/*
 * Forks the entry point: new pid, mount, ipc, uts and cgroup namespaces, root,
 * mounts, sysctls, then the process itself. The share is mounted at
 * PATH_SHARE in the agent's namespace before this call. -1 with *code (125).
 */
int container_start(struct container *c, const struct process_io *io,
    struct process *out, uint32_t *code, struct err *err);

/*
 * Forks one more process ("process" of EXEC, optional "seccomp" beside it)
 * into the namespaces of the entry point, whose pid is given. The same rules.
 */
int container_exec(struct container *c, pid_t entry_point,
    struct json_object *exec, const struct process_io *io, struct process *out,
    uint32_t *code, struct err *err);

enum process_event {
	PROCESS_WAIT,	  /* nothing yet */
	PROCESS_TERMINAL, /* *master is the pty's master, now owned */
	PROCESS_STARTED,  /* exec(2) succeeded; close report_fd */
	PROCESS_FAILED	  /* never executed: *code (125-127) and err */
};

/* Reads one report when report_fd is readable. */
enum process_event
process_report(struct process *p, int *master, uint32_t *code, struct err *err);

#endif
