/* SPDX-License-Identifier: Apache-2.0
 * A supervisor with a listener for runq-exec and a guest that is made up. */
#include "t/unit/fake_guest.h"

#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/channel.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/rexec.h"
#include "lib/vm_spec.h"
#include "supervisor/carrier.h"
#include "supervisor/exec_tls.h"
#include "supervisor/filter.h"
#include "supervisor/sessions.h"
#include "supervisor/tls.h"
#include "t/tap.h"
#include "t/unit/certs.h"

/* ---- the guest ----------------------------------------------------------- */

enum command {
	NONE,
	XOR,
	SIGNAL,
	RESIZE,
	HOLD
};

static struct {
	struct channel *ch;
	int fd;
	struct fake_guest *g;
	struct guest_session {
		enum command command;
		uint8_t key;
		uint32_t code;
		struct buf in;
		bool in_eof;
	} s[WIRE_SESSIONS_MAX];
} guest;

static void
end_session(uint32_t id, uint32_t code)
{
	struct guest_session *s = &guest.s[id];

	channel_send_eof(guest.ch, wire_stream_id(id, WIRE_STDOUT));
	channel_send_eof(guest.ch, wire_stream_id(id, WIRE_STDERR));
	channel_send_u32(guest.ch, WIRE_EXIT, id, code, NULL);
	channel_close(guest.ch, id);
	buf_free(&s->in);
	s->command = NONE;
}

static void
move(uint32_t id)
{
	struct guest_session *s = &guest.s[id];
	uint8_t *p;
	size_t n;

	while ((n = buf_len(&s->in)) > 0 &&
	    (p = channel_reserve(
		 guest.ch, wire_stream_id(id, WIRE_STDOUT), &n)) != NULL) {
		for (size_t i = 0; i < n; i++)
			p[i] = buf_data(&s->in)[i] ^ s->key;
		channel_commit(guest.ch, wire_stream_id(id, WIRE_STDOUT), n);
		buf_drain(&s->in, n);
		channel_consumed(guest.ch, wire_stream_id(id, WIRE_STDIN), n);
	}
	if (s->in_eof && buf_len(&s->in) == 0)
		end_session(id, s->code);
}

static const char *
arg(struct json_object *args, size_t i)
{
	struct json_object *o = json_object_array_get_idx(args, i);

	return o != NULL ? json_object_get_string(o) : "0";
}

static void
start(uint32_t id, const uint8_t *text, size_t len)
{
	struct json_object *doc =
	    json_parse((const char *)text, len, "EXEC", NULL);
	struct json_object *process, *args;
	struct guest_session *s = &guest.s[id];
	const char *command;

	json_object_object_get_ex(doc, "process", &process);
	json_object_object_get_ex(process, "args", &args);
	command = arg(args, 0);
	channel_open(guest.ch, id, NULL);
	*s = (struct guest_session){.command = HOLD};
	buf_init(&s->in, WIRE_WINDOW_MAX);
	if (strcmp(command, "nosuch") == 0) {
		channel_send_text(guest.ch, WIRE_FAILED, id, 127,
		    "nosuch: not found\x1b", NULL);
		channel_close(guest.ch, id);
		s->command = NONE;
		json_object_put(doc);
		return;
	}
	channel_send_u32(guest.ch, WIRE_STARTED, id, 1, NULL);
	if (strcmp(command, "xor") == 0) {
		s->command = XOR;
		s->key = (uint8_t)atoi(arg(args, 1));
		s->code = (uint32_t)atoi(arg(args, 2));
	} else if (strcmp(command, "err") == 0) {
		channel_write(guest.ch, wire_stream_id(id, WIRE_STDERR),
		    arg(args, 1), strlen(arg(args, 1)));
		end_session(id, (uint32_t)atoi(arg(args, 2)));
	} else if (strcmp(command, "show") == 0) {
		channel_write(
		    guest.ch, wire_stream_id(id, WIRE_STDOUT), text, len);
		end_session(id, 0);
	} else if (strcmp(command, "signal") == 0) {
		s->command = SIGNAL;
		channel_write(
		    guest.ch, wire_stream_id(id, WIRE_STDOUT), "ready\n", 6);
	} else if (strcmp(command, "resize") == 0) {
		s->command = RESIZE;
		channel_write(
		    guest.ch, wire_stream_id(id, WIRE_STDOUT), "ready\n", 6);
	}
	json_object_put(doc);
}

static void
on_message(
    void *a, enum wire_type type, uint32_t id, const uint8_t *p, size_t len)
{
	struct guest_session *s = &guest.s[id];
	char text[64];

	(void)a;
	if (type == WIRE_EXEC) {
		guest.g->seen->execs++;
		start(id, p, len);
	} else if (type == WIRE_SIGNAL && s->command == SIGNAL) {
		end_session(id, 128 + wire_get_u32(p));
	} else if (type == WIRE_SIGNAL && s->command == RESIZE) {
		end_session(id, 0);
	} else if (type == WIRE_RESIZE && s->command == RESIZE) {
		snprintf(text, sizeof text, "%u %u\n", wire_get_u32(p),
		    wire_get_u32(p + 4));
		channel_write(guest.ch, wire_stream_id(id, WIRE_STDOUT), text,
		    strlen(text));
	}
}

static void
on_data(void *a, uint32_t stream, const uint8_t *p, size_t n)
{
	uint32_t id = wire_session_of(stream);

	(void)a;
	if (guest.s[id].command == XOR &&
	    buf_append(&guest.s[id].in, p, n) == 0)
		move(id);
	else
		channel_consumed(guest.ch, stream, n);
}

static void
on_eof(void *a, uint32_t stream)
{
	uint32_t id = wire_session_of(stream);

	(void)a;
	guest.g->seen->eofs++;
	guest.s[id].in_eof = true;
	if (guest.s[id].command == XOR)
		move(id);
}

static void
on_writable(void *a, uint32_t stream)
{
	(void)a;
	if (guest.s[wire_session_of(stream)].command == XOR)
		move(wire_session_of(stream));
}

static void
on_stopped(void *a, uint32_t stream)
{
	uint32_t id = wire_session_of(stream);

	(void)a;
	guest.g->seen->stops++;
	if (stream % 4 == WIRE_STDOUT && guest.s[id].command != NONE)
		end_session(id, 141);
}

static void
be_guest(struct fake_guest *g, int fd)
{
	static const struct channel_handler h = {
	    on_message, on_data, on_eof, on_writable, on_stopped};
	static uint8_t chunk[65536];
	static size_t spare = 4u << 20;
	struct pollfd p = {.fd = fd};
	const uint8_t *out;
	struct err err;
	ssize_t n;
	size_t len;

	guest.g = g;
	guest.fd = fd;
	guest.ch = channel_new(CHANNEL_AGENT, &h, NULL);
	channel_share(guest.ch, &spare);
	for (;;) {
		out = channel_output(guest.ch, &len);
		p.events = POLLIN | (out != NULL ? POLLOUT : 0);
		poll(&p, 1, -1);
		if (p.revents & (POLLIN | POLLHUP)) {
			n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
			if (n == 0)
				_exit(0);
			if (n > 0 &&
			    channel_input(guest.ch, chunk, (size_t)n, &err) ==
				-1) {
				log_error("guest: %s", err.msg);
				_exit(1);
			}
		}
		while ((out = channel_output(guest.ch, &len)) != NULL &&
		    (n = send(fd, out, len, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
			channel_output_drain(guest.ch, (size_t)n);
	}
}

/* ---- the supervisor ------------------------------------------------------ */

static struct sessions *sessions;
static struct carrier *carrier;

static void
sup_message(
    void *a, enum wire_type type, uint32_t id, const uint8_t *p, size_t len)
{
	(void)a;
	if (sessions_message(sessions, type, id, p, len) == -1) {
		log_error(
		    "supervisor: %s at the wrong time", wire_type_name(type));
		_exit(1);
	}
}

static void
sup_data(void *a, uint32_t stream, const uint8_t *p, size_t n)
{
	(void)a;
	sessions_data(sessions, stream, p, n);
}

static void
sup_eof(void *a, uint32_t stream)
{
	(void)a;
	sessions_eof(sessions, stream);
}

static void
sup_writable(void *a, uint32_t stream)
{
	(void)a;
	sessions_writable(sessions, stream);
}

static void
sup_stopped(void *a, uint32_t stream)
{
	(void)a;
	sessions_stopped(sessions, stream);
}

static void
sup_kick(void *a)
{
	(void)a;
	carrier_kick(carrier);
}

static void
sup_lost(void *a, const char *why)
{
	(void)a;
	log_error("supervisor: %s", why);
	_exit(1);
}

static struct event_base *
new_base(void)
{
	struct event_config *c = event_config_new();
	struct event_base *base;

	event_config_set_max_dispatch_interval(c, NULL, 4, 2);
	base = event_base_new_with_config(c);
	event_base_priority_init(base, 3);
	event_config_free(c);
	return base;
}

static void
be_supervisor(const char *id, struct vm_tls *pem, int listener, int ready)
{
	static const struct channel_handler h = {
	    sup_message, sup_data, sup_eof, sup_writable, sup_stopped};
	struct event_base *base = new_base();
	struct channel *ch = channel_new(CHANNEL_HOST, &h, NULL);
	struct json_object *container = json_tokener_parse(
	    "{\"process\":{\"args\":[\"init\"],\"cwd\":\"/w\",\"env\":"
	    "[\"PATH=/bin\",\"A=1\"],\"user\":{\"uid\":7,\"gid\":8}},"
	    "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}}");
	size_t spare = 8u << 20;
	struct tls *tls;
	struct err err;

	channel_share(ch, &spare);
	sessions = sessions_new(ch);
	if ((tls = tls_new(pem, id, &err)) == NULL ||
	    carrier_attach(carrier, base, ch, sup_lost, NULL, &err) == -1)
		goto fail;
	struct exec_tls *x = exec_tls_new(base,
	    &(const struct exec_tls_parts){.listen_fd = listener,
		.tls = tls,
		.id = id,
		.container = container,
		.guest = ch,
		.sessions = sessions,
		.spare = &spare,
		.kick = sup_kick},
	    &err);
	if (x == NULL)
		goto fail;
	signal(SIGPIPE, SIG_IGN);
#ifndef __SANITIZE_ADDRESS__
	/* as in real life: nothing may open files any more */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!lacks_syscall(SYS_seccomp) && filter_install(false, &err) == -1)
		goto fail;
#endif
	exec_tls_serve(x);
	if (write(ready, "r", 1) != 1)
		_exit(1);
	event_base_dispatch(base);
	_exit(0);
fail:
	log_error("%s", err.msg);
	_exit(1);
}

static int
listen_at(const char *id)
{
	struct sockaddr_un sa;
	socklen_t len;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (rexec_addr(id, &sa, &len, NULL) == -1 ||
	    bind(fd, (struct sockaddr *)&sa, len) == -1 ||
	    listen(fd, 512) == -1) {
		printf("Bail out! listen\n");
		exit(1);
	}
	return fd;
}

struct fake_guest *
fake_guest_start(const char *dir, const char *ca, const char *cert,
    const char *id, const char *address)
{
	struct fake_guest *g = calloc(1, sizeof *g);
	int listener = listen_at(address), device, ready[2];
	struct vm_tls pem;
	char key[80], c;
	struct err err;

	snprintf(key, sizeof key, "%s-key", cert);
	pem = (struct vm_tls){
	    certs_read(dir, ca), certs_read(dir, cert), certs_read(dir, key)};
	snprintf(g->id, sizeof g->id, "%s", id);
	g->seen = mmap(NULL, sizeof *g->seen, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	carrier = carrier_new(CARRIER_SERIAL, &err);
	device = dup(carrier_device_fd(carrier));
	if (pipe(ready) == -1)
		exit(1);
	fflush(stdout);
	if ((g->agent = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(listener);
		carrier_free(carrier);
		be_guest(g, device);
	}
	close(device);
	if ((g->supervisor = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		be_supervisor(id, &pem, listener, ready[1]);
	}
	close(ready[1]);
	close(listener);
	carrier_free(carrier);
	vm_tls_wipe(&pem);
	if (read(ready[0], &c, 1) != 1)
		printf("# the supervisor did not start\n");
	close(ready[0]);
	return g;
}

void
fake_guest_stop(struct fake_guest *g)
{
	kill(g->supervisor, SIGKILL);
	kill(g->agent, SIGKILL);
	waitpid(g->supervisor, NULL, 0);
	waitpid(g->agent, NULL, 0);
	munmap((void *)(uintptr_t)g->seen, sizeof *g->seen);
	free(g);
}
