/* SPDX-License-Identifier: Apache-2.0
 * One process with its streams: the entry point (session 0) or an exec
 * session. It is complete only when the process was reaped and its output has
 * come to its end; then EXIT is sent. */
#ifndef GUEST_AGENT_SESSION_H
#define GUEST_AGENT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "guest-agent/container.h"
#include "lib/err.h"

struct channel;
struct loop;
struct session;

struct session_handler {
	/* the channel has new output */
	void (*kick)(void *arg);
	/* FAILED or EXIT was sent: the session is to be freed, not before
	 * this callback has returned */
	void (*ended)(void *arg, uint32_t id);
	/* session 0, before its FAILED or EXIT: what is to be on the disks
	 * when the host hears of it */
	void (*ending)(void *arg);
};

/* Makes the streams' pipes, or asks for a terminal. The channel's session id
 * is open already. */
struct session *
session_new(uint32_t id, bool terminal, struct loop *loop, struct channel *ch,
    const struct session_handler *handler, void *arg, struct err *err);
void session_free(struct session *s);

/* The process gets /dev/null as its stdin; before it is started. */
void session_without_stdin(struct session *s);

/*
 * The process is systemd: SIGTERM reaches it as SIGRTMIN+4, its poweroff
 * (systemd(1), "Signals"); and what ends PID 1 of a pid namespace that called
 * reboot(2) is an end of its own choice: SIGINT (poweroff, halt) means exit
 * code 0, SIGHUP (reboot) 1.
 */
void session_systemd(struct session *s);

/* For container_start() and container_exec(): the process's ends. */
struct process_io *session_io(struct session *s);

/* The process was forked: our ends are watched from here on. */
void session_started(struct session *s, const struct process *p);

pid_t session_pid(const struct session *s);

/* What the channel and the reaper report. */
void session_reaped(struct session *s, int status);
void session_data(struct session *s, const uint8_t *p, size_t n);
void session_eof(struct session *s);
void session_writable(struct session *s, uint32_t stream);
void session_stopped(struct session *s, uint32_t stream);
void session_signal(struct session *s, uint32_t signo);
void session_resize(struct session *s, uint32_t rows, uint32_t columns);

#endif
