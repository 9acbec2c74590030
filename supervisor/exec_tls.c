/* SPDX-License-Identifier: Apache-2.0
 * The door for runq-exec.
 *
 * Anybody on the host can connect, so that somebody who has no certificate
 * costs little and delays nobody:
 *
 *	QUEUED      connected; waits for a whole ClientHello, which is only
 *	            peeked at. Costs a descriptor and a hundred bytes
 *	HANDSHAKE   OpenSSL works on it, at a lower priority than everything
 *	            else in the supervisor
 *	(verified)  no longer ours: exec_proxy.c
 *
 * Both have DEADLINE seconds together and both are bounded. When one is full,
 * the user who has most in it loses the oldest.
 */
#include "supervisor/exec_tls.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/wire.h"
#include "supervisor/exec_proxy.h"
#include "supervisor/tls.h"

#define DEADLINE 5 /* seconds from accept to a verified certificate */
/* More than honest clients that come all at once; a handshake holds some 100
 * KiB. */
#define QUEUED_MAX 512
#define HANDSHAKE_MAX 128
/* What the kernel keeps for a client that does not read is the container's
 * memory, too. */
#define SEND_BUFFER 32768
#define VERIFIED_MAX WIRE_SESSIONS_MAX
#define ACCEPTS 32 /* in one turn of the loop */
#define PRIORITY_HANDSHAKE 2
#define PRIORITY_SESSION 1

/* TLS records: RFC 8446, 5.1; ClientHello: 4.1.2. */
#define RECORD_HEADER 5
#define RECORD_HANDSHAKE 22
#define CLIENT_HELLO 1
#define CLIENT_HELLO_MAX 8192

enum stage {
	QUEUED,
	HANDSHAKE,
	STAGES
};

struct peer; /* a user of the host */

struct pending {
	TAILQ_ENTRY(pending) next;
	struct exec_tls *owner;
	struct peer *peer;
	enum stage stage;
	int fd; /* -1: bev's */
	pid_t pid;
	struct event *readable, *deadline;
	struct bufferevent *bev;
};

TAILQ_HEAD(pendings, pending);

struct peer {
	LIST_ENTRY(peer) next;
	uid_t uid;
	struct pendings list[STAGES]; /* oldest first */
	unsigned n[STAGES];
};

struct verified {
	LIST_ENTRY(verified) next;
	struct exec_proxy *proxy;
};

struct exec_tls {
	struct event_base *base;
	struct tls *tls;
	int listen_fd;
	struct event *acceptable, *again;
	LIST_HEAD(, peer) peers;
	unsigned n[STAGES], n_verified;
	struct exec_proxy_env env;
	void (*kick)(void *arg);
	void *kick_arg;
	LIST_HEAD(, verified) verified;
};

/* ---- who waits ----------------------------------------------------------- */

static struct peer *
peer_get(struct exec_tls *x, uid_t uid)
{
	struct peer *p;

	LIST_FOREACH (p, &x->peers, next)
		if (p->uid == uid)
			return p;
	if ((p = calloc(1, sizeof *p)) == NULL)
		return NULL;
	p->uid = uid;
	for (int i = 0; i < STAGES; i++)
		TAILQ_INIT(&p->list[i]);
	LIST_INSERT_HEAD(&x->peers, p, next);
	return p;
}

static void
stage_enter(struct pending *c, enum stage stage)
{
	c->stage = stage;
	TAILQ_INSERT_TAIL(&c->peer->list[stage], c, next);
	c->peer->n[stage]++;
	c->owner->n[stage]++;
}

static void
stage_leave(struct pending *c)
{
	TAILQ_REMOVE(&c->peer->list[c->stage], c, next);
	c->peer->n[c->stage]--;
	c->owner->n[c->stage]--;
}

static void
pending_free(struct pending *c)
{
	struct peer *p = c->peer;

	stage_leave(c);
	if (p->n[QUEUED] + p->n[HANDSHAKE] == 0) {
		LIST_REMOVE(p, next);
		free(p);
	}
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->deadline != NULL)
		event_free(c->deadline);
	if (c->bev != NULL)
		tls_close(c->bev);
	cleanup_closep(&c->fd);
	free(c);
}

static void
refuse(struct pending *c, const char *why)
{
	log_info("runq-exec: uid %u pid %d: refused: %s",
	    (unsigned)c->peer->uid, (int)c->pid, why);
	pending_free(c);
}

/* Room in a stage. */
static void
make_room(struct exec_tls *x, enum stage stage)
{
	struct peer *p, *most = NULL;

	LIST_FOREACH (p, &x->peers, next)
		if (most == NULL || p->n[stage] > most->n[stage])
			most = p;
	if (most != NULL && most->n[stage] > 0)
		refuse(TAILQ_FIRST(&most->list[stage]), "too many connections");
}

/* ---- handshake ----------------------------------------------------------- */

static void
verified_over_cb(void *arg, struct exec_proxy *proxy)
{
	struct exec_tls *x = arg;
	struct verified *v;

	LIST_FOREACH (v, &x->verified, next)
		if (v->proxy == proxy)
			break;
	exec_proxy_free(proxy);
	if (v == NULL)
		return;
	LIST_REMOVE(v, next);
	free(v);
	x->n_verified--;
}

static void
kick_cb(void *arg)
{
	struct exec_tls *x = arg;

	x->kick(x->kick_arg);
}

static void
let_in(struct pending *c)
{
	struct exec_tls *x = c->owner;
	struct bufferevent *bev = c->bev;
	struct verified *v;
	char who[128], name[64];

	if (x->n_verified >= VERIFIED_MAX ||
	    (v = calloc(1, sizeof *v)) == NULL) {
		refuse(c, "too many sessions");
		return;
	}
	tls_client(bev, name, sizeof name);
	snprintf(who, sizeof who, "uid %u pid %d (%s)", (unsigned)c->peer->uid,
	    (int)c->pid, name);
	c->bev = NULL;
	pending_free(c);
	bufferevent_priority_set(bev, PRIORITY_SESSION);
	v->proxy = exec_proxy_new(&x->env, bev, who);
	if (v->proxy == NULL) {
		free(v);
		return;
	}
	LIST_INSERT_HEAD(&x->verified, v, next);
	x->n_verified++;
}

static void
handshake_event_cb(struct bufferevent *bev, short what, void *arg)
{
	struct pending *c = arg;
	char why[256];

	if (what & BEV_EVENT_CONNECTED) {
		let_in(c);
	} else {
		tls_failure(bev, why, sizeof why);
		refuse(c, why);
	}
}

static void
handshake_begin(struct pending *c)
{
	struct exec_tls *x = c->owner;

	if (x->n[HANDSHAKE] >= HANDSHAKE_MAX)
		make_room(x, HANDSHAKE);
	event_free(c->readable);
	c->readable = NULL;
	stage_leave(c);
	stage_enter(c, HANDSHAKE);
	if ((c->bev = tls_accept(x->tls, x->base, c->fd)) == NULL) {
		refuse(c, "out of memory");
		return;
	}
	c->fd = -1;
	bufferevent_priority_set(c->bev, PRIORITY_HANDSHAKE);
	bufferevent_setcb(c->bev, NULL, NULL, handshake_event_cb, c);
}

/* ---- the queue ----------------------------------------------------------- */

/* Is a whole ClientHello there? 1 yes, 0 not yet, -1: it never will be. */
static int
hello_is_there(int fd)
{
	unsigned char h[RECORD_HEADER + 1];
	int there, len;
	ssize_t n;

	n = recv(fd, h, sizeof h, MSG_PEEK | MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0 || h[0] != RECORD_HANDSHAKE || (n > 1 && h[1] != 3))
		return -1;
	if (n < (ssize_t)sizeof h)
		return 0;
	len = h[3] << 8 | h[4];
	if (h[5] != CLIENT_HELLO || len > CLIENT_HELLO_MAX ||
	    ioctl(fd, FIONREAD, &there) == -1)
		return -1;
	return there >= RECORD_HEADER + len;
}

static void
queued_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	switch (hello_is_there(fd)) {
	case 1:
		handshake_begin(arg);
		break;
	case -1:
		refuse(arg, "this is not TLS");
		break;
	default:
		break; /* edge-triggered: called again for more */
	}
}

static void
deadline_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	refuse(arg, "no handshake in time");
}

static void
take(struct exec_tls *x, int fd)
{
	const struct timeval tv = {DEADLINE, 0};
	const int size = SEND_BUFFER;
	struct ucred u = {.uid = (uid_t)-1};
	socklen_t len = sizeof u;
	struct pending *c;

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	if (x->n[QUEUED] >= QUEUED_MAX)
		make_room(x, QUEUED);
	c = calloc(1, sizeof *c);
	if (c == NULL || (c->peer = peer_get(x, u.uid)) == NULL) {
		free(c);
		close(fd);
		return;
	}
	c->owner = x;
	c->fd = fd;
	c->pid = u.pid;
	stage_enter(c, QUEUED);
	c->readable =
	    event_new(x->base, fd, EV_READ | EV_ET | EV_PERSIST, queued_cb, c);
	c->deadline = evtimer_new(x->base, deadline_cb, c);
	if (c->readable == NULL || c->deadline == NULL ||
	    event_priority_set(c->readable, PRIORITY_HANDSHAKE) == -1 ||
	    event_add(c->readable, NULL) == -1 ||
	    event_add(c->deadline, &tv) == -1)
		refuse(c, "out of memory");
}

/* ---- listening ----------------------------------------------------------- */

/* No descriptor is left: somebody who waits gives his up, or we wait. */
static void
no_descriptor(struct exec_tls *x)
{
	const struct timeval a_while = {0, 100000};

	if (x->n[QUEUED] > 0) {
		make_room(x, QUEUED);
	} else {
		event_del(x->acceptable);
		event_add(x->again, &a_while);
	}
}

static void
accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct exec_tls *x = arg;
	int c;

	(void)what;
	for (int i = 0; i < ACCEPTS; i++) {
		c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (c != -1) {
			take(x, c);
		} else if (errno == EMFILE || errno == ENFILE ||
		    errno == ENOMEM || errno == ENOBUFS) {
			no_descriptor(x);
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

static void
again_cb(evutil_socket_t fd, short what, void *arg)
{
	struct exec_tls *x = arg;

	(void)fd;
	(void)what;
	event_add(x->acceptable, NULL);
}

int
exec_tls_serve(struct exec_tls *x)
{
	return event_add(x->acceptable, NULL);
}

/* ---- life ---------------------------------------------------------------- */

struct exec_tls *
exec_tls_new(struct event_base *base, const struct exec_tls_parts *parts,
    struct err *err)
{
	struct exec_tls *x = calloc(1, sizeof *x);

	if (x == NULL) {
		close(parts->listen_fd);
		err_set(err, "out of memory");
		return NULL;
	}
	x->base = base;
	x->tls = parts->tls;
	x->listen_fd = parts->listen_fd;
	x->env = (struct exec_proxy_env){.base = base,
	    .guest = parts->guest,
	    .sessions = parts->sessions,
	    .spare = parts->spare,
	    .id = parts->id,
	    .container = parts->container,
	    .kick = kick_cb,
	    .over = verified_over_cb,
	    .arg = x};
	x->kick = parts->kick;
	x->kick_arg = parts->arg;
	LIST_INIT(&x->peers);
	LIST_INIT(&x->verified);
	x->acceptable =
	    event_new(base, x->listen_fd, EV_READ | EV_PERSIST, accept_cb, x);
	x->again = evtimer_new(base, again_cb, x);
	if (x->acceptable == NULL || x->again == NULL ||
	    event_priority_set(x->acceptable, PRIORITY_HANDSHAKE) == -1 ||
	    fcntl(x->listen_fd, F_SETFL, O_NONBLOCK) == -1) {
		err_set(err, "runq-exec: cannot listen");
		exec_tls_free(x);
		return NULL;
	}
	return x;
}

void
exec_tls_free(struct exec_tls *x)
{
	struct verified *v;
	struct peer *p;

	if (x == NULL)
		return;
	while ((p = LIST_FIRST(&x->peers)) != NULL)
		pending_free(!TAILQ_EMPTY(&p->list[QUEUED])
			? TAILQ_FIRST(&p->list[QUEUED])
			: TAILQ_FIRST(&p->list[HANDSHAKE]));
	while ((v = LIST_FIRST(&x->verified)) != NULL) {
		LIST_REMOVE(v, next);
		exec_proxy_free(v->proxy);
		free(v);
	}
	if (x->acceptable != NULL)
		event_free(x->acceptable);
	if (x->again != NULL)
		event_free(x->again);
	cleanup_closep(&x->listen_fd);
	free(x);
}
