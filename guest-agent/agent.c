/* SPDX-License-Identifier: Apache-2.0
 * The agent: what the host says becomes sessions, what sessions do goes back
 * to the host. It knows nothing of its container before START. */
#include "guest-agent/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-agent/carrier.h"
#include "guest-agent/container.h"
#include "guest-agent/copytree.h"
#include "guest-agent/dns.h"
#include "guest-agent/loop.h"
#include "guest-agent/modules.h"
#include "guest-agent/session.h"
#include "guest-agent/start.h"
#include "lib/channel.h"
#include "lib/json.h"
#include "lib/log.h"

#define CHUNK 65536
/* What the processes do not read of their stdin, all of them together and
 * beyond the least, bytes. */
#define SPARE (4u << 20)
#define PAGE 4096

struct agent {
	struct loop *loop;
	struct channel *ch;
	struct loop_source carrier, signals;
	struct container *container;
	struct dns *dns; /* NULL: Docker's DNS server is not there */
	struct session *sessions[WIRE_SESSIONS_MAX];
	bool stop;
	bool kicking;
	size_t spare;	/* room for windows to grow */
	struct err why; /* when stop */
	uint8_t chunk[CHUNK];
};

static void
stop(struct agent *a, const char *why)
{
	if (a->stop)
		return;
	a->stop = true;
	err_set(&a->why, "%s", why);
}

/* ---- carrier ------------------------------------------------------------- */

static void
agent_kick_cb(void *arg)
{
	struct agent *a = arg;
	const uint8_t *p;
	size_t len;
	uint32_t events = EPOLLIN;
	ssize_t n;

	if (a->kicking)
		return; /* a writer that was called below; it goes on there */
	a->kicking = true;
	while (!a->stop && (p = channel_output(a->ch, &len)) != NULL) {
		n = write(a->carrier.fd, p, len);
		if (n > 0) {
			channel_output_drain(a->ch, (size_t)n);
		} else if (n == 0 || errno == EAGAIN) {
			events |= EPOLLOUT;
			break;
		} else if (errno != EINTR) {
			stop(a, "carrier: write failed");
		}
	}
	a->kicking = false;
	loop_watch(a->loop, &a->carrier, events);
}

/* How much came, up to CHUNK. A virtio-serial port gives a page in one read;
 * what waits is taken as a whole, so that a process which reads its stdin is
 * woken once for it. Less than a page: there was no more. */
static size_t
carrier_read(struct agent *a)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(a->carrier.fd, a->chunk + len, CHUNK - len);
		if (n > 0)
			len += (size_t)n;
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			stop(a, "the host is gone");
	} while (n >= PAGE && len < CHUNK);
	return len;
}

static void
agent_carrier_cb(void *arg, uint32_t events)
{
	struct agent *a = arg;
	struct err err;
	size_t len;

	if (events & EPOLLOUT)
		agent_kick_cb(a);
	if ((events & ~(uint32_t)EPOLLOUT) == 0 || (len = carrier_read(a)) == 0)
		return;
	if (channel_input(a->ch, a->chunk, len, &err) == -1)
		stop(a, err.msg);
	else
		agent_kick_cb(a);
}

/* ---- sessions ------------------------------------------------------------ */

static struct session *
find(struct agent *a, uint32_t id)
{
	return id < WIRE_SESSIONS_MAX ? a->sessions[id] : NULL;
}

/* A session ends within its own callbacks, so it cannot be freed here: it
 * stays until its id is used again. */
static void
agent_ended_cb(void *arg, uint32_t id)
{
	channel_close(((struct agent *)arg)->ch, id);
}

/* The entry point is gone, or never was. */
static void
agent_ending_cb(void *arg)
{
	container_release(((struct agent *)arg)->container);
}

static const struct session_handler session_cb = {
    agent_kick_cb, agent_ended_cb, agent_ending_cb};

/* While START takes its time: the host waits as long as it hears of us. */
static void
agent_progress_cb(void *arg)
{
	struct agent *a = arg;

	channel_send_text(a->ch, WIRE_LOG, 0, LOG_LEVEL_DEBUG,
	    "copying the image to the root disk", NULL);
	agent_kick_cb(a);
}

static void
refuse(struct agent *a, uint32_t id, uint32_t code, const struct err *err)
{
	if (id == 0)
		container_release(a->container);
	channel_send_text(a->ch, WIRE_FAILED, id, code, err->msg, NULL);
	channel_close(a->ch, id);
	session_free(a->sessions[id]);
	a->sessions[id] = NULL;
}

static struct session *
session_open(struct agent *a, uint32_t id, bool terminal, struct err *err)
{
	struct session *s;

	if (channel_open(a->ch, id, err) == -1)
		return NULL;
	/* what an earlier session of this id left */
	session_free(a->sessions[id]);
	s = session_new(id, terminal, a->loop, a->ch, &session_cb, a, err);
	a->sessions[id] = s;
	return s;
}

/* Without it the container runs, and is told what it will miss. */
static void
start_dns(struct agent *a, struct json_object *doc)
{
	struct dns *dns;
	struct err err;

	if (!start_wants_dns(doc))
		return;
	dns = dns_new(a->loop, a->ch, agent_kick_cb, a, &err);
	if (dns != NULL &&
	    container_set_dns(a->container, dns_port(dns), &err) == 0)
		a->dns = dns;
	else
		channel_send_text(
		    a->ch, WIRE_LOG, 0, LOG_LEVEL_WARN, err.msg, NULL);
}

static int
prepare(struct agent *a, struct json_object *doc, struct session **s,
    struct err *err)
{
	const struct copytree_progress progress = {agent_progress_cb, a};

	if ((a->container = start_prepare(doc, &progress, err)) == NULL ||
	    (*s = session_open(a, 0, container_terminal(a->container), err)) ==
		NULL ||
	    start_stdio(doc, *s, err) == -1)
		return -1;
	if (container_systemd(a->container))
		session_systemd(*s);
	start_dns(a, doc);
	return 0;
}

static void
got_start(struct agent *a, const uint8_t *p, size_t len)
{
	AUTO_JSON struct json_object *doc = NULL;
	struct process process;
	struct session *s;
	uint32_t code = 125;
	struct err err;

	if (a->container != NULL) {
		stop(a, "second START");
		return;
	}
	doc = json_parse((const char *)p, len, "START", &err);
	if (doc == NULL || prepare(a, doc, &s, &err) == -1 ||
	    container_start(
		a->container, session_io(s), &process, &code, &err) == -1)
		refuse(a, 0, code, &err);
	else {
		session_started(s, &process);
		/* nobody waits for it: what is free goes back to the host, and
		 * the host may ask for more (docker update) */
		(void)modules_load("balloon", &err);
	}
}

static void
got_exec(struct agent *a, uint32_t id, const uint8_t *p, size_t len)
{
	AUTO_JSON struct json_object *doc = NULL;
	struct json_object *proc;
	struct process process;
	struct session *s;
	bool terminal = false;
	uint32_t code = 125;
	struct err err;

	if (id == 0 || find(a, 0) == NULL) {
		err_set(&err, "exec: no entry point");
		channel_send_text(a->ch, WIRE_FAILED, id, 125, err.msg, NULL);
		return;
	}
	doc = json_parse((const char *)p, len, "EXEC", &err);
	if (doc == NULL ||
	    json_need_obj(doc, "EXEC", "process", &proc, &err) == -1 ||
	    json_opt_bool(proc, "process", "terminal", &terminal, &err) == -1 ||
	    (s = session_open(a, id, terminal, &err)) == NULL ||
	    start_stdio(doc, s, &err) == -1 ||
	    container_exec(a->container, session_pid(a->sessions[0]), doc,
		session_io(s), &process, &code, &err) == -1)
		refuse(a, id, code, &err);
	else
		session_started(s, &process);
}

static void
reap(struct agent *a)
{
	int status;
	pid_t pid;

	/* orphans of the VM are reaped here too and forgotten */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (uint32_t i = 0; i < WIRE_SESSIONS_MAX; i++)
			if (a->sessions[i] != NULL &&
			    session_pid(a->sessions[i]) == pid) {
				session_reaped(a->sessions[i], status);
				break;
			}
}

static void
agent_signal_cb(void *arg, uint32_t events)
{
	struct agent *a = arg;
	struct signalfd_siginfo si;

	(void)events;
	while (read(a->signals.fd, &si, sizeof si) == sizeof si)
		;
	reap(a);
}

/* ---- what the channel reports -------------------------------------------- */

static void
agent_message_cb(
    void *arg, enum wire_type type, uint32_t id, const uint8_t *p, size_t len)
{
	struct agent *a = arg;
	struct session *s = find(a, id);
	uint32_t v = len >= 4 ? wire_get_u32(p) : 0;

	if (type == WIRE_START && id == 0)
		got_start(a, p, len);
	else if (type == WIRE_EXEC)
		got_exec(a, id, p, len);
	else if (type == WIRE_SIGNAL && s != NULL && v >= 1 && v <= 64)
		session_signal(s, v);
	else if (type == WIRE_RESIZE && s != NULL && v <= 65535)
		session_resize(s, v, wire_get_u32(p + 4) & 0xffff);
	else if ((type == WIRE_DNS_QUERY || type == WIRE_DNS_ANSWER) &&
	    a->dns != NULL)
		dns_message(a->dns, type, p, len);
}

static void
agent_data_cb(void *arg, uint32_t stream, const uint8_t *p, size_t n)
{
	struct session *s = find(arg, wire_session_of(stream));

	if (s != NULL)
		session_data(s, p, n);
}

static void
agent_eof_cb(void *arg, uint32_t stream)
{
	struct session *s = find(arg, wire_session_of(stream));

	if (s != NULL)
		session_eof(s);
}

static void
agent_writable_cb(void *arg, uint32_t stream)
{
	struct session *s = find(arg, wire_session_of(stream));

	if (s != NULL)
		session_writable(s, stream);
}

static void
agent_stopped_cb(void *arg, uint32_t stream)
{
	struct session *s = find(arg, wire_session_of(stream));

	if (s != NULL)
		session_stopped(s, stream);
}

static const struct channel_handler channel_cb = {
    .message = agent_message_cb,
    .data = agent_data_cb,
    .eof = agent_eof_cb,
    .writable = agent_writable_cb,
    .stopped = agent_stopped_cb,
};

/* ---- life ---------------------------------------------------------------- */

static int
open_signals(struct agent *a, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	a->signals = (struct loop_source){
	    .fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
	    .cb = agent_signal_cb,
	    .arg = a};
	if (a->signals.fd == -1)
		return err_sys(err, "signalfd");
	loop_watch(a->loop, &a->signals, EPOLLIN);
	return 0;
}

static int
open_carrier(struct agent *a, struct err *err)
{
	uint8_t hello[WIRE_HEADER + 8];
	struct wire_header h = {WIRE_HELLO, 0, 8};

	wire_header_put(hello, &h);
	wire_put_u32(hello + WIRE_HEADER, WIRE_MAGIC);
	wire_put_u32(hello + WIRE_HEADER + 4, WIRE_VERSION);
	a->carrier =
	    (struct loop_source){.fd = carrier_open(hello, sizeof hello, err),
		.cb = agent_carrier_cb,
		.arg = a};
	if (a->carrier.fd == -1)
		return -1;
	loop_watch(a->loop, &a->carrier, EPOLLIN);
	return 0;
}

int
agent_run(struct err *err)
{
	struct agent *a = calloc(1, sizeof *a);

	if (a == NULL || (a->loop = loop_new(err)) == NULL ||
	    (a->ch = channel_new(CHANNEL_AGENT, &channel_cb, a)) == NULL)
		return err_set(err, "out of memory");
	a->spare = SPARE;
	channel_share(a->ch, &a->spare);
	if (open_signals(a, err) == -1 || open_carrier(a, err) == -1 ||
	    loop_run(a->loop, &a->stop, err) == -1)
		return -1;
	/* the end of the agent is the end of the VM: nothing is freed */
	return err_set(err, "%s", a->why.msg);
}
