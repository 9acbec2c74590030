/* SPDX-License-Identifier: Apache-2.0
 * The life of a VM.
 *
 *	state      until                              then
 *	-----      -----                              ----
 *	QMP        QEMU's monitor is ready            add devices, cont
 *	DEVICES    cont is answered                   the guest boots
 *	BOOT       HELLO from the agent               send START
 *	START      STARTED                            join stdio
 *	           FAILED                             END
 *	RUNNING    EXIT                               FLUSH
 *	FLUSH      stdout and stderr are written      END: quit QEMU
 *	END        QEMU has ended                     OVER: leave the loop
 *
 * The exit code is decided once, in conclude(). Every state but RUNNING and
 * FLUSH has a deadline: RUNNING lasts as long as the entry point does, FLUSH
 * as long as the reader of its output takes; there the end of QEMU, of
 * the share's server or of the carrier is what moves us on. What dies before
 * its time (QEMU, that server, the guest) concludes with a sentence from any
 * state.
 */
#include "supervisor/vm.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "qmp/qmp.h"
#include "supervisor/carrier.h"
#include "supervisor/devices.h"
#include "supervisor/dns.h"
#include "supervisor/disks.h"
#include "supervisor/exec.h"
#include "supervisor/exec_tls.h"
#include "supervisor/machine.h"
#include "supervisor/net.h"
#include "supervisor/qemu.h"
#include "supervisor/sessions.h"
#include "supervisor/share.h"
#include "supervisor/signals.h"
#include "supervisor/start.h"
#include "supervisor/stdio.h"
#include "supervisor/tail.h"

#define QUIT_DEADLINE 3000
/* A guest that lost its carrier has this long to say why on its console. */
#define LAST_WORDS 3000
#define CONSOLE_LINES 40 /* a panic's report is about 30 */
#define AGENT_LINES 16
/* What readers of stdout and stderr, and stdin of runq-exec, leave waiting
 * here, all sessions together and beyond the least for each, bytes. */
#define SPARE (8u << 20)

enum state {
	ST_QMP,
	ST_DEVICES,
	ST_BOOT,
	ST_START,
	ST_RUNNING,
	ST_FLUSH,
	ST_DYING,
	ST_END,
	ST_OVER
};

struct vm {
	struct event_base *base;
	struct vm_parts parts;
	enum state state;
	int code;      /* decided when state >= ST_END, or ST_FLUSH */
	bool agent_up; /* HELLO came */
	bool qemu_gone;
	unsigned logged; /* lines taken from the agent */
	struct event *deadline;

	struct qmp *qmp;
	struct channel *channel;
	size_t spare; /* room for windows to grow */
	struct signals *signals;
	struct stdio *stdio;
	struct sessions *sessions;
	struct exec *exec;
	struct exec_tls *exec_tls; /* NULL: no runq-exec */
	struct dns *dns;	   /* NULL: no DNS server of Docker's */
	struct tail *console, *qemu_log, *share_log;

	/* signals that came before the entry point could take them */
	uint64_t early_signals;
	char death[256]; /* ST_DYING: why */
};

/* ---- states -------------------------------------------------------------- */

static const char *const waiting_for[] = {
    [ST_QMP] = "QEMU did not answer on its monitor",
    [ST_DEVICES] = "QEMU did not add the devices",
    [ST_BOOT] = "the agent in the guest never answered",
    [ST_START] = "the agent did not start the entry point",
};

static void
set_deadline(struct vm *vm, unsigned ms)
{
	const struct timeval tv = {ms / 1000, (ms % 1000) * 1000};

	event_add(vm->deadline, &tv);
}

static void
enter(struct vm *vm, enum state state, unsigned deadline_ms)
{
	vm->state = state;
	event_del(vm->deadline);
	if (deadline_ms > 0)
		set_deadline(vm, deadline_ms);
}

/* The one place where the exit code is decided. */
static void
conclude(struct vm *vm, int code)
{
	if (vm->state >= ST_END)
		return;
	vm->code = code;
	enter(vm, ST_END, QUIT_DEADLINE);
	if (vm->qemu_gone || vm->qmp == NULL ||
	    qmp_execute(vm->qmp, "quit", NULL, -1, QUIT_DEADLINE, NULL, NULL,
		NULL) == -1)
		set_deadline(vm, 0);
}

static void
over(struct vm *vm)
{
	enter(vm, ST_OVER, 0);
	event_base_loopbreak(vm->base);
}

/* Our own failure, or that of a part: one sentence and code 125. */
static void __attribute__((format(printf, 2, 3)))
fail(struct vm *vm, const char *fmt, ...)
{
	char msg[ERR_MSG_MAX];
	va_list ap;

	if (vm->state >= ST_END)
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	stdio_free(vm->stdio); /* gives the terminal back before we speak */
	vm->stdio = NULL;
	log_error("%s", msg);
	conclude(vm, VM_EXIT_FAILURE);
}

/* fail(), with what the guest said last. */
static void
guest_died(struct vm *vm, const char *why)
{
	if (vm->state >= ST_END)
		return;
	fail(vm, "%s", why);
	tail_drain(vm->console);
	if (tail_show(vm->console, "guest console", CONSOLE_LINES) == 0)
		log_error("guest console: (empty)");
}

/*
 * The carrier or the guest is gone while the entry point was not: the reason
 * is about to arrive (QEMU's SHUTDOWN event, its end, the console's last
 * lines), so wait for it, but not for long.
 */
static void
dying(struct vm *vm, const char *why)
{
	if (vm->state >= ST_FLUSH)
		return; /* in FLUSH all that matters was said */
	snprintf(vm->death, sizeof vm->death, "%s", why);
	enter(vm, ST_DYING, LAST_WORDS);
}

static void
vm_deadline_cb(evutil_socket_t fd, short what, void *arg)
{
	struct vm *vm = arg;

	(void)fd;
	(void)what;
	switch (vm->state) {
	case ST_BOOT:
		snprintf(vm->death, sizeof vm->death,
		    "%s within %u s (--boot-timeout)", waiting_for[ST_BOOT],
		    vm->parts.spec->boot_timeout);
		guest_died(vm, vm->death);
		break;
	case ST_DYING:
		guest_died(vm, vm->death);
		break;
	case ST_END:
		over(vm); /* our end is QEMU's end */
		break;
	default:
		fail(vm, "%s in time", waiting_for[vm->state]);
	}
}

/* ---- the channel --------------------------------------------------------- */

static void
send_start(struct vm *vm)
{
	struct start_stdio io;
	AUTO_FREE char *text = NULL;
	struct err err;
	size_t len;

	io.terminal = stdio_size(vm->stdio, &io.rows, &io.columns);
	io.onlcr = stdio_onlcr(vm->stdio);
	io.stdin_null = stdio_without_stdin(vm->stdio);
	text = start_message(
	    vm->parts.spec, vm->parts.net->config, &io, &len, &err);
	if (text == NULL ||
	    channel_send(vm->channel, WIRE_START, 0, text, len, &err) == -1) {
		fail(vm, "%s", err.msg);
		return;
	}
	enter(vm, ST_START, vm->parts.spec->boot_timeout * 1000);
}

static void
got_hello(struct vm *vm, const uint8_t *p)
{
	uint32_t version = wire_get_u32(p + 4);

	vm->agent_up = true;
	if (wire_get_u32(p) != WIRE_MAGIC || version != WIRE_VERSION)
		fail(vm,
		    "the agent speaks version %u of the protocol, not "
		    "%d: the initrd is not of this installation",
		    version, WIRE_VERSION);
	else
		send_start(vm);
}

static void
got_started(struct vm *vm)
{
	enter(vm, ST_RUNNING, 0);
	stdio_start(vm->stdio);
	exec_serve(vm->exec);
	if (vm->exec_tls != NULL)
		exec_tls_serve(vm->exec_tls);
	for (int i = 1; i <= 64; i++)
		if (vm->early_signals & 1ull << (i - 1))
			channel_send_u32(
			    vm->channel, WIRE_SIGNAL, 0, (uint32_t)i, NULL);
}

/* The entry point was never executed: its code and a sentence. */
static void
got_failed(struct vm *vm, const uint8_t *p, size_t len)
{
	uint32_t code = wire_get_u32(p);

	stdio_free(vm->stdio);
	vm->stdio = NULL;
	log_error("%.*s", (int)(len - 4), (const char *)p + 4);
	conclude(vm, code >= 125 && code <= 127 ? (int)code : VM_EXIT_FAILURE);
}

static void
got_exit(struct vm *vm, uint32_t code)
{
	vm->code = (int)(code & 0xff);
	enter(vm, ST_FLUSH, 0);
	if (stdio_pending(vm->stdio) == 0)
		conclude(vm, vm->code);
}

/* The agent may warn while it sets up; the lines go where the container's
 * stderr goes, so they are few. */
static void
got_log(struct vm *vm, const uint8_t *p, size_t len)
{
	if (vm->state != ST_START)
		return;
	/* it is alive: the copy to a root disk takes its time */
	enter(vm, ST_START, vm->parts.spec->boot_timeout * 1000);
	if (++vm->logged > AGENT_LINES)
		return;
	if (wire_get_u32(p) <= LOG_LEVEL_WARN)
		log_warn("agent: %.*s", (int)(len - 4), (const char *)p + 4);
	else
		log_debug("agent: %.*s", (int)(len - 4), (const char *)p + 4);
}

static void
vm_message_cb(void *arg, enum wire_type type, uint32_t session,
    const uint8_t *p, size_t len)
{
	struct vm *vm = arg;

	if (session != 0) {
		if (sessions_message(vm->sessions, type, session, p, len) == -1)
			fail(vm,
			    "the agent sent %s for session %u, which is "
			    "not at that point",
			    wire_type_name(type), session);
	} else if (type == WIRE_HELLO && vm->state == ST_BOOT)
		got_hello(vm, p);
	else if (type == WIRE_STARTED && vm->state == ST_START)
		got_started(vm);
	else if (type == WIRE_FAILED && vm->state == ST_START)
		got_failed(vm, p, len);
	else if (type == WIRE_EXIT && vm->state == ST_RUNNING)
		got_exit(vm, wire_get_u32(p));
	else if (type == WIRE_LOG)
		got_log(vm, p, len);
	else if ((type == WIRE_DNS_QUERY || type == WIRE_DNS_ANSWER) &&
	    vm->dns != NULL)
		dns_message(vm->dns, type, p, len);
	else if (vm->state < ST_DYING)
		fail(vm, "the agent sent %s at the wrong time",
		    wire_type_name(type));
}

static void
vm_data_cb(void *arg, uint32_t stream, const uint8_t *p, size_t n)
{
	struct vm *vm = arg;

	if (wire_session_of(stream) != 0)
		sessions_data(vm->sessions, stream, p, n);
	else if (vm->stdio != NULL)
		stdio_data(vm->stdio, stream, p, n);
}

static void
vm_eof_cb(void *arg, uint32_t stream)
{
	struct vm *vm = arg;

	if (wire_session_of(stream) != 0)
		sessions_eof(vm->sessions, stream);
	else if (vm->stdio != NULL)
		stdio_eof(vm->stdio, stream);
}

static void
vm_writable_cb(void *arg, uint32_t stream)
{
	struct vm *vm = arg;

	if (wire_session_of(stream) != 0)
		sessions_writable(vm->sessions, stream);
	else if (vm->stdio != NULL)
		stdio_writable(vm->stdio);
}

static void
vm_stopped_cb(void *arg, uint32_t stream)
{
	struct vm *vm = arg;

	if (wire_session_of(stream) != 0)
		sessions_stopped(vm->sessions, stream);
	else if (vm->stdio != NULL)
		stdio_stopped(vm->stdio);
}

static void
vm_lost_cb(void *arg, const char *why)
{
	struct vm *vm = arg;
	char text[200];

	snprintf(text, sizeof text, "the channel to the guest broke: %s", why);
	dying(vm, text);
}

/* ---- stdio and signals --------------------------------------------------- */

static void
vm_kick_cb(void *arg)
{
	carrier_kick(((struct vm *)arg)->parts.carrier);
}

static void
vm_flushed_cb(void *arg)
{
	struct vm *vm = arg;

	if (vm->state == ST_FLUSH)
		conclude(vm, vm->code);
}

static void
vm_forward_cb(void *arg, int signo)
{
	struct vm *vm = arg;

	if (vm->state < ST_RUNNING) {
		vm->early_signals |= 1ull << (signo - 1);
		return;
	}
	if (vm->state != ST_RUNNING)
		return;
	/* refused only while the guest does not read a mebibyte of them */
	channel_send_u32(vm->channel, WIRE_SIGNAL, 0, (uint32_t)signo, NULL);
	carrier_kick(vm->parts.carrier);
}

static void
vm_resized_cb(void *arg)
{
	struct vm *vm = arg;
	uint32_t rows, columns;

	if ((vm->state != ST_RUNNING && vm->state != ST_START) ||
	    !stdio_size(vm->stdio, &rows, &columns))
		return;
	channel_send_u32x2(vm->channel, WIRE_RESIZE, 0, rows, columns, NULL);
	carrier_kick(vm->parts.carrier);
}

/* ---- children ------------------------------------------------------------ */

static const char *
how_ended(char *buf, size_t size, int status)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "was killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(buf, size, "ended with code %d", WEXITSTATUS(status));
	return buf;
}

/* Before the guest ran, a wrong -cpu is the likely reason: what QEMU says of
 * it comes next. */
static void
qemu_failed(struct vm *vm, int status)
{
	const char *cpuargs = vm->parts.spec->cpuargs;
	char how[96];

	how_ended(how, sizeof how, status);
	if (cpuargs != NULL && !vm->agent_up)
		fail(vm, "QEMU %s; --cpuargs or RUNQ_CPUARGS is \"%s\"", how,
		    cpuargs);
	else
		fail(vm, "QEMU %s", how);
	tail_show(vm->qemu_log, "QEMU", CONSOLE_LINES);
}

static void
qemu_ended(struct vm *vm, int status)
{
	vm->qemu_gone = true;
	tail_drain(vm->console);
	tail_drain(vm->qemu_log);
	if (vm->state == ST_END) {
		over(vm);
	} else if (vm->state == ST_FLUSH) {
		return; /* the reader of our output is slower */
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		/* -no-reboot: the guest panicked, rebooted or powered off */
		guest_died(vm,
		    vm->agent_up ? "the guest's kernel died under the container"
				 : "the guest's kernel died while it booted");
	} else {
		qemu_failed(vm, status);
	}
}

/* It ends by itself when QEMU does: then let that be said. */
static void
share_ended(struct vm *vm, int status)
{
	const char *name = vm->parts.share->child.name;
	char how[96], why[200];

	if (vm->state >= ST_FLUSH)
		return;
	tail_drain(vm->share_log);
	how_ended(how, sizeof how, status);
	snprintf(why, sizeof why,
	    "%s %s: the container lost its root file system", name, how);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		dying(vm, why);
		return;
	}
	fail(vm, "%s", why);
	tail_show(vm->share_log, name, CONSOLE_LINES);
}

static void
vm_child_cb(void *arg, pid_t pid, int status)
{
	struct vm *vm = arg;

	if (pid == vm->parts.qemu->child.pid)
		qemu_ended(vm, status);
	else if (pid == vm->parts.share->child.pid)
		share_ended(vm, status);
}

/* ---- QMP ----------------------------------------------------------------- */

static void
vm_device_failed_cb(void *arg, const char *why)
{
	struct vm *vm = arg;

	fail(vm, "QEMU: %s", why);
}

static void
vm_cont_cb(void *arg, struct json_object *ret, const char *error)
{
	struct vm *vm = arg;

	if (vm->state != ST_DEVICES)
		return;
	if (ret == NULL) {
		fail(vm, "QEMU: %s", error);
		return;
	}
	enter(vm, ST_BOOT, vm->parts.spec->boot_timeout * 1000);
}

static void
vm_ready_cb(void *arg)
{
	static const struct devices_handler h = {vm_device_failed_cb};
	struct vm *vm = arg;
	struct vm_parts *p = &vm->parts;
	struct err err;

	if (devices_add_share(
		vm->qmp, p->machine, p->spec, p->share, &h, vm, &err) == -1 ||
	    devices_add_nics(vm->qmp, p->machine, p->net, &h, vm, &err) == -1 ||
	    disks_add(vm->qmp, p->machine, p->spec, &h, vm, &err) == -1 ||
	    (p->spec->ap.uuid != NULL &&
		devices_add_ap(
		    vm->qmp, p->machine, &p->spec->ap, &h, vm, &err) == -1) ||
	    qmp_execute(vm->qmp, "cont", NULL, -1, DEVICES_DEADLINE, vm_cont_cb,
		vm, &err) == -1) {
		fail(vm, "%s", err.msg);
		return;
	}
	enter(vm, ST_DEVICES, DEVICES_DEADLINE);
}

static void
vm_event_cb(void *arg, const char *name, struct json_object *data)
{
	struct vm *vm = arg;
	const char *reason = "";

	log_debug("QEMU: %s", name);
	if (strcmp(name, "GUEST_PANICKED") == 0)
		dying(vm, "the guest's kernel panicked");
	else if (strcmp(name, "SHUTDOWN") == 0 && data != NULL &&
	    json_opt_str(data, "SHUTDOWN", "reason", &reason, NULL) == 0 &&
	    strcmp(reason, "host-qmp-quit") == 0)
		fail(vm, "QEMU was told to quit through its monitor");
	/* SHUTDOWN is followed by QEMU's end: qemu_ended() has the console */
}

static void
vm_qmp_closed_cb(void *arg, const char *why)
{
	struct vm *vm = arg;

	/* qemu_ended() says it better, if it is about to */
	dying(vm, why);
}

/* ---- making and running -------------------------------------------------- */

static const struct channel_handler channel_cb = {
    .message = vm_message_cb,
    .data = vm_data_cb,
    .eof = vm_eof_cb,
    .writable = vm_writable_cb,
    .stopped = vm_stopped_cb,
};
static const struct signals_handler signals_cb = {
    .forward = vm_forward_cb,
    .child = vm_child_cb,
    .resized = vm_resized_cb,
};
static const struct stdio_handler stdio_cb = {
    .kick = vm_kick_cb,
    .flushed = vm_flushed_cb,
};
static const struct exec_handler exec_cb = {
    .kick = vm_kick_cb,
};
static const struct qmp_handler qmp_cb = {
    .ready = vm_ready_cb,
    .event = vm_event_cb,
    .closed = vm_qmp_closed_cb,
};

static int
join_exec(struct vm *vm, struct err *err)
{
	const struct vm_parts *p = &vm->parts;

	if ((vm->sessions = sessions_new(vm->channel)) == NULL)
		return err_set(err, "out of memory");
	vm->exec = exec_new(vm->base, vm->channel, vm->sessions, p->relay_fd,
	    &exec_cb, vm, err);
	if (vm->exec == NULL)
		return -1;
	if (p->tls == NULL)
		return 0;
	vm->exec_tls = exec_tls_new(vm->base,
	    &(const struct exec_tls_parts){.listen_fd = p->exec_fd,
		.tls = p->tls,
		.id = p->spec->id,
		.container = p->spec->container,
		.guest = vm->channel,
		.sessions = vm->sessions,
		.spare = &vm->spare,
		.kick = vm_kick_cb,
		.arg = vm},
	    err);
	return vm->exec_tls != NULL ? 0 : -1;
}

static int
join_dns(struct vm *vm, struct err *err)
{
	const struct vm_parts *p = &vm->parts;

	if (!p->docker_dns)
		return 0;
	vm->dns =
	    dns_new(vm->base, vm->channel, p->dns_catch, vm_kick_cb, vm, err);
	return vm->dns != NULL ? 0 : -1;
}

static int
join_parts(struct vm *vm, struct err *err)
{
	struct vm_parts *p = &vm->parts;

	vm->deadline = evtimer_new(vm->base, vm_deadline_cb, vm);
	vm->channel = channel_new(CHANNEL_HOST, &channel_cb, vm);
	vm->console = tail_new(vm->base, take_fd(&p->qemu->console_fd));
	vm->qemu_log = tail_new(vm->base, take_fd(&p->qemu->stderr_fd));
	vm->share_log = tail_new(vm->base, take_fd(&p->share->stderr_fd));
	if (vm->deadline == NULL || vm->channel == NULL ||
	    vm->console == NULL || vm->qemu_log == NULL ||
	    vm->share_log == NULL)
		return err_set(err, "out of memory");
	vm->spare = SPARE;
	channel_share(vm->channel, &vm->spare);
	if (channel_open(vm->channel, 0, err) == -1 ||
	    (vm->signals = signals_new(vm->base, &signals_cb, vm, err)) ==
		NULL ||
	    (vm->stdio = stdio_new(vm->base, vm->channel, 0, p->stdio_fds,
		 p->spec->terminal, &stdio_cb, vm, err)) == NULL ||
	    join_exec(vm, err) == -1 || join_dns(vm, err) == -1)
		return -1;
	vm->qmp = qmp_new(vm->base, take_fd(&p->qemu->qmp_fd),
	    p->spec->boot_timeout * 1000, &qmp_cb, vm, err);
	if (vm->qmp == NULL)
		return -1;
	return carrier_attach(
	    p->carrier, vm->base, vm->channel, vm_lost_cb, vm, err);
}

struct vm *
vm_new(struct event_base *base, const struct vm_parts *parts, struct err *err)
{
	struct vm *vm = calloc(1, sizeof *vm);

	if (vm == NULL) {
		err_set(err, "out of memory");
		return NULL;
	}
	vm->base = base;
	vm->parts = *parts;
	if (join_parts(vm, err) == -1) {
		vm_free(vm);
		return NULL;
	}
	enter(vm, ST_QMP, parts->spec->boot_timeout * 1000);
	return vm;
}

void
vm_free(struct vm *vm)
{
	if (vm == NULL)
		return;
	qmp_free(vm->qmp);
	dns_free(vm->dns);
	exec_tls_free(vm->exec_tls);
	exec_free(vm->exec);
	sessions_free(vm->sessions);
	stdio_free(vm->stdio);
	signals_free(vm->signals);
	channel_free(vm->channel);
	tail_free(vm->console);
	tail_free(vm->qemu_log);
	tail_free(vm->share_log);
	if (vm->deadline != NULL)
		event_free(vm->deadline);
	free(vm);
}

int
vm_run(struct vm *vm)
{
	if (event_base_dispatch(vm->base) == -1 || vm->state != ST_OVER) {
		log_error("the event loop ended before the VM");
		return VM_EXIT_FAILURE;
	}
	return vm->code;
}
