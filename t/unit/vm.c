/* SPDX-License-Identifier: Apache-2.0
 * The supervisor's state machine against a scripted QEMU and agent: each
 * scenario runs the real loop in a process of its own and looks at what a
 * person would see: exit code, stdout, stderr. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/log.h"
#include "supervisor/carrier.h"
#include "supervisor/exec_door.h"
#include "supervisor/machine.h"
#include "supervisor/net.h"
#include "supervisor/qemu.h"
#include "supervisor/signals.h"
#include "supervisor/stdio_fds.h"
#include "supervisor/share.h"
#include "supervisor/vm.h"
#include "t/tap.h"

#define TIME_LIMIT 20 /* seconds until a scenario is killed */

/* ---- the fake VM: one blocking process ----------------------------------- */

static struct {
	int qmp, carrier, console;
	FILE *qmp_in;
	struct channel *ch;
	enum wire_type last;
	uint32_t arg;
	char start[8192];
	char input[1 << 20];
	size_t input_len;
	bool input_eof, stopped;
	char ap[8192]; /* the command that named an AP device */
} vm;

#define AP_UUID "b34543ee-496b-4769-8312-83707033e1de"
/* The guest's architecture, and whether it gets an AP device. */
static const char *arch = "x86_64";
static bool with_ap;

static void
say(const char *text)
{
	if (write(vm.qmp, text, strlen(text)) == -1)
		_exit(99);
}

/* Answers commands up to and including last; the others as a QEMU that likes
 * everything. */
static void
qmp_until(const char *last)
{
	char line[8192], reply[128];
	struct json_object *o, *id, *cmd;
	bool end = false;

	while (!end && fgets(line, sizeof line, vm.qmp_in) != NULL) {
		o = json_tokener_parse(line);
		json_object_object_get_ex(o, "execute", &cmd);
		json_object_object_get_ex(o, "id", &id);
		end = strcmp(json_object_get_string(cmd), last) == 0;
		if (strstr(line, "\"vfio-ap\"") != NULL)
			snprintf(vm.ap, sizeof vm.ap, "%s", line);
		snprintf(reply, sizeof reply,
		    "{\"return\": {}, \"id\": %s}\r\n",
		    json_object_get_string(id));
		say(reply);
		json_object_put(o);
	}
	if (!end)
		_exit(0);
}

static void
greet(void)
{
	say("{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, "
	    "\"major\": 7}}, \"capabilities\": [\"oob\"]}}\r\n");
}

static void
on_message(void *arg, enum wire_type type, uint32_t session, const uint8_t *p,
    size_t len)
{
	(void)arg;
	(void)session;
	vm.last = type;
	if (type == WIRE_START)
		snprintf(vm.start, sizeof vm.start, "%.*s", (int)len,
		    (const char *)p);
	else if (len >= 4)
		vm.arg = wire_get_u32(p);
}

static void
on_data(void *arg, uint32_t stream, const uint8_t *p, size_t n)
{
	(void)arg;
	memcpy(vm.input + vm.input_len, p, n);
	vm.input_len += n;
	channel_consumed(vm.ch, stream, n);
}

static void
on_eof(void *arg, uint32_t stream)
{
	(void)arg;
	(void)stream;
	vm.input_eof = true;
}

static void
on_writable(void *arg, uint32_t stream)
{
	(void)arg;
	(void)stream;
}

static void
on_stopped(void *arg, uint32_t stream)
{
	(void)arg;
	(void)stream;
	vm.stopped = true;
}

static void
flush(void)
{
	const uint8_t *p;
	size_t n;
	ssize_t r;

	while ((p = channel_output(vm.ch, &n)) != NULL) {
		r = write(vm.carrier, p, n);
		if (r <= 0)
			_exit(0);
		channel_output_drain(vm.ch, (size_t)r);
	}
}

static void
step(void)
{
	uint8_t chunk[65536];
	struct err err;
	ssize_t n;

	flush();
	n = read(vm.carrier, chunk, sizeof chunk);
	if (n <= 0 || channel_input(vm.ch, chunk, (size_t)n, &err) == -1)
		_exit(0);
	flush();
}

static void
agent_until(enum wire_type type)
{
	vm.last = 0;
	while (vm.last != type)
		step();
}

static void
hello(uint32_t version)
{
	channel_send_u32x2(vm.ch, WIRE_HELLO, 0, WIRE_MAGIC, version, NULL);
	flush();
}

static void
to_running(void)
{
	greet();
	qmp_until("cont");
	hello(WIRE_VERSION);
	agent_until(WIRE_START);
	channel_send_u32(vm.ch, WIRE_STARTED, 0, 1, NULL);
	flush();
}

static void
finish(uint32_t code)
{
	channel_send_eof(vm.ch, WIRE_STDOUT);
	channel_send_eof(vm.ch, WIRE_STDERR);
	channel_send_u32(vm.ch, WIRE_EXIT, 0, code, NULL);
	flush();
	qmp_until("quit");
	_exit(0);
}

/* ---- scripts ------------------------------------------------------------- */

static void
script_plain(void)
{
	to_running();
	channel_write(vm.ch, WIRE_STDOUT, "out\n", 4);
	channel_write(vm.ch, WIRE_STDERR, "err\n", 4);
	finish(42);
}

/* What was added before the guest ran. */
static void
script_ap(void)
{
	to_running();
	channel_write(vm.ch, WIRE_STDOUT, vm.ap, strlen(vm.ap));
	finish(0);
}

static void
script_cat(void)
{
	to_running();
	while (!vm.input_eof)
		step();
	channel_write(vm.ch, WIRE_STDOUT, vm.input, vm.input_len);
	finish(0);
}

static void
script_large(void)
{
	static uint8_t block[65536];
	size_t left = 20u << 20, n;

	to_running();
	memset(block, 'x', sizeof block);
	while (left > 0) {
		n = left < sizeof block ? left : sizeof block;
		n = channel_write(vm.ch, WIRE_STDOUT, block, n);
		left -= n;
		if (n == 0)
			step();
	}
	finish(7);
}

static void
script_signal(void)
{
	to_running();
	agent_until(WIRE_SIGNAL);
	finish(128 + vm.arg);
}

static void
script_start_message(void)
{
	greet();
	qmp_until("cont");
	hello(WIRE_VERSION);
	agent_until(WIRE_START);
	channel_send_u32(vm.ch, WIRE_STARTED, 0, 1, NULL);
	channel_write(vm.ch, WIRE_STDOUT, vm.start, strlen(vm.start));
	finish(0);
}

static void
script_not_found(void)
{
	greet();
	qmp_until("cont");
	hello(WIRE_VERSION);
	agent_until(WIRE_START);
	channel_send_text(vm.ch, WIRE_FAILED, 0, 127,
	    "exec: \"nosuch\": not found\x1b[31m", NULL);
	flush();
	qmp_until("quit");
	_exit(0);
}

static void
script_no_greeting(void)
{
	_exit(1);
}

static void
script_device_refused(void)
{
	char line[8192], reply[200];
	struct json_object *o, *id, *cmd;

	greet();
	while (fgets(line, sizeof line, vm.qmp_in) != NULL) {
		o = json_tokener_parse(line);
		json_object_object_get_ex(o, "execute", &cmd);
		json_object_object_get_ex(o, "id", &id);
		snprintf(reply, sizeof reply,
		    strcmp(json_object_get_string(cmd), "device_add") == 0
			? "{\"error\": {\"class\": \"GenericError\", \"desc\": "
			  "\"no such bus\"}, \"id\": %s}\r\n"
			: "{\"return\": {}, \"id\": %s}\r\n",
		    json_object_get_string(id));
		say(reply);
		if (strcmp(json_object_get_string(cmd), "quit") == 0)
			_exit(0);
		json_object_put(o);
	}
}

static void
script_panic_at_boot(void)
{
	static const char words[] = "Kernel panic - not syncing\r\n\x1b[2J";

	greet();
	qmp_until("cont");
	if (write(vm.console, words, sizeof words - 1) == -1)
		_exit(99);
	_exit(0);
}

static void
script_killed(void)
{
	to_running();
	channel_write(vm.ch, WIRE_STDOUT, "before\n", 7);
	flush();
	kill(getpid(), SIGKILL);
}

static void
script_silent_agent(void)
{
	greet();
	qmp_until("cont");
	qmp_until("quit");
	_exit(0);
}

static void
script_wrong_version(void)
{
	greet();
	qmp_until("cont");
	hello(WIRE_VERSION + 1);
	qmp_until("quit");
	_exit(0);
}

static void
script_garbage(void)
{
	char junk[4096];

	greet();
	qmp_until("cont");
	memset(junk, 0xee, sizeof junk);
	if (write(vm.carrier, junk, sizeof junk) == -1)
		_exit(99);
	qmp_until("quit");
	_exit(0);
}

static void
script_early_exit(void)
{
	greet();
	qmp_until("cont");
	channel_send_u32(vm.ch, WIRE_EXIT, 0, 0, NULL);
	flush();
	qmp_until("quit");
	_exit(0);
}

static void
script_other_session(void)
{
	uint8_t frame[WIRE_HEADER + 1] = {0};
	struct wire_header h = {WIRE_DATA, wire_stream_id(3, WIRE_STDOUT), 1};

	to_running();
	wire_header_put(frame, &h);
	if (write(vm.carrier, frame, sizeof frame) == -1)
		_exit(99);
	qmp_until("quit");
	_exit(0);
}

/* ---- running a scenario -------------------------------------------------- */

struct result {
	int code;
	char out[1 << 16], err[1 << 14];
	long long out_len;
};

static const struct channel_handler agent_cb = {
    on_message, on_data, on_eof, on_writable, on_stopped};

static pid_t
start_idle(void)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	alarm(TIME_LIMIT);
	pause();
	_exit(0);
}

/* The supervisor's side; fds 0, 1, 2 are the scenario's. */
static int
supervise(void (*script)(void), int virtiofsd_dies)
{
	struct vm_spec spec;
	struct qemu qemu = {.child = {.name = "QEMU"}};
	struct share fsd = {.child = {.name = "virtiofsd"}};
	struct net net = {.n = 0};
	char relay_path[64];
	int q[2], c[2], l[2], f[2], s[2], stdio_fds[3], device, code;
	struct vm_parts parts = {.spec = &spec,
	    .machine = machine_find(arch),
	    .qemu = &qemu,
	    .share = &fsd,
	    .net = &net,
	    .stdio_fds = stdio_fds,
	    .exec_fd = -1};
	struct event_base *base = event_base_new();
	struct err err = {""};
	struct vm *v;

	snprintf(
	    relay_path, sizeof relay_path, "/tmp/runq-unit-%d.sock", getpid());
	signals_block();
	log_init("runq", 2, LOG_LEVEL_WARN);
	vm_spec_init(&spec);
	spec.boot_timeout = 2;
	spec.container = json_tokener_parse("{\"hostname\":\"h\"}");
	if (with_ap)
		spec.ap = (struct vm_ap){strdup(AP_UUID), 7};
	parts.carrier = carrier_new(CARRIER_SERIAL, &err);
	device = dup(carrier_device_fd(parts.carrier));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, q) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, c) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, s) == -1 || pipe(l) == -1 ||
	    pipe(f) == -1)
		return 99;
	qemu.child.pid = fork();
	if (qemu.child.pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		close(q[0]);
		close(c[0]);
		carrier_free(parts.carrier);
		vm.console = c[1];
		alarm(TIME_LIMIT);
		vm.qmp = q[1];
		vm.qmp_in = fdopen(dup(q[1]), "r");
		vm.carrier = device;
		vm.ch = channel_new(CHANNEL_AGENT, &agent_cb, NULL);
		channel_open(vm.ch, 0, NULL);
		script();
		_exit(98);
	}
	close(q[1]);
	close(c[1]);
	close(device);
	fsd.child.pid = virtiofsd_dies ? fork() : start_idle();
	if (fsd.child.pid == 0)
		_exit(3);
	qemu.qmp_fd = q[0];
	qemu.console_fd = c[0];
	qemu.stderr_fd = l[0];
	close(l[1]);
	fsd.socket_fd = s[0];
	fsd.stderr_fd = f[0];
	close(f[1]);
	parts.relay_fd = exec_door_listen(relay_path, &err);
	if (parts.relay_fd == -1 || stdio_inherit(stdio_fds, &err) == -1)
		return 99;
	v = vm_new(base, &parts, &err);
	if (v == NULL) {
		log_error("%s", err.msg);
		return 99;
	}
	code = vm_run(v);
	unlink(relay_path);
	kill(fsd.child.pid, SIGKILL);
	return code;
}

/* Reads to the end; a scenario that is silent for too long is killed. */
static void
slurp(pid_t pid, int fd, char *buf, size_t size, long long *total)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char chunk[65536];
	size_t n = 0;
	ssize_t r;

	*total = 0;
	while (poll(&p, 1, TIME_LIMIT * 1000) == 1 &&
	    (r = read(fd, chunk, sizeof chunk)) > 0) {
		size_t k = (size_t)r < size - 1 - n ? (size_t)r : size - 1 - n;

		memcpy(buf + n, chunk, k);
		n += k;
		*total += r;
	}
	buf[n] = '\0';
	if (p.revents == 0)
		kill(pid, SIGKILL);
}

static struct result
scenario(void (*script)(void), const char *input, int signo, int virtiofsd_dies)
{
	static struct result r;
	int in[2], out[2], status;
	FILE *errors = tmpfile();
	sigset_t all, old;
	pid_t pid;

	memset(&r, 0, sizeof r);
	if (pipe(in) == -1 || pipe(out) == -1 || errors == NULL)
		exit(99);
	fflush(stdout);
	/* blocked from before the fork: no signal may come too early */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	if ((pid = fork()) == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(fileno(errors), 2);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		_exit(supervise(script, virtiofsd_dies));
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(in[0]);
	close(out[1]);
	if (signo != 0)
		kill(pid, signo);
	if (input != NULL && write(in[1], input, strlen(input)) == -1)
		perror("write");
	close(in[1]);
	slurp(pid, out[0], r.out, sizeof r.out, &r.out_len);
	close(out[0]);
	waitpid(pid, &status, 0);
	r.code =
	    WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
	rewind(errors);
	if (fread(r.err, 1, sizeof r.err - 1, errors) == 0)
		r.err[0] = '\0';
	fclose(errors);
	return r;
}

static void
dies(void (*script)(void), const char *sentence, const char *name)
{
	struct result r = scenario(script, NULL, 0, 0);

	if (!ok(r.code == 125 && strstr(r.err, sentence) != NULL, "%s", name))
		printf("# code %d, stderr: %s\n", r.code, r.err);
}

static void
test_good(void)
{
	struct result r = scenario(script_plain, NULL, 0, 0);

	is_int(r.code, 42, "the exit code is the entry point's");
	is_str(r.out, "out\n", "stdout is its stdout");
	is_str(r.err, "err\n", "stderr is its stderr, and nothing else");

	r = scenario(script_cat, "hello\r\n\x01\xff", 0, 0);
	is_str(r.out, "hello\r\n\x01\xff", "stdin arrives whole, then its end");
	is_int(r.code, 0, "code 0");

	r = scenario(script_large, NULL, 0, 0);
	is_int(r.out_len, 20 << 20, "20 MiB and EXIT at once: nothing lost");
	is_int(r.code, 7, "and the code is right");

	r = scenario(script_start_message, NULL, 0, 0);
	ok(strstr(r.out, "\"hostname\":\"h\"") != NULL &&
		strstr(r.out, "\"seed\":\"") != NULL &&
		strstr(r.out, "\"terminal\"") == NULL,
	    "START carries container and seed, no terminal");

	r = scenario(script_not_found, NULL, 0, 0);
	is_int(r.code, 127, "FAILED ends with its code");
	is_str(r.err, "runq: exec: \"nosuch\": not found\\x1b[31m\n",
	    "and its sentence, escaped");
}

static void
test_ap(void)
{
	struct result r;

	with_ap = true;
	dies(script_ap, "RUNQ_APUUID: a guest of x86_64 has no AP bus",
	    "an AP device for the wrong guest");
	arch = "s390x";
	r = scenario(script_ap, NULL, 0, 0);
	ok(strstr(r.out, "\"device_add\"") != NULL &&
		strstr(r.out, "\"vfio-ap\"") != NULL &&
		strstr(r.out, "\"/sys/bus/mdev/devices/" AP_UUID "\"") != NULL,
	    "an AP device is added before the guest runs");
	with_ap = false;
	r = scenario(script_ap, NULL, 0, 0);
	is_str(r.out, "", "none without");
	arch = "x86_64";
}

int
main(void)
{
	struct result r;

	test_good();
	test_ap();
	for (int signo = 1; signo <= 64; signo += 7) {
		char name[64];

		if (signo == SIGALRM || signo == 32 || signo == 33)
			continue;
		snprintf(name, sizeof name,
		    "signal %d, sent before the start, is passed on", signo);
		if (emulated() && (signo == SIGFPE || signo == 64)) {
			skip(name, "the emulator keeps this signal to itself");
			continue;
		}
		r = scenario(script_signal, NULL, signo, 0);
		is_int(r.code, 128 + signo, name);
	}
	r = scenario(script_signal, NULL, SIGCHLD, 0);
	is_int(r.code, 128 + SIGCHLD, "somebody's SIGCHLD is passed on");
	r = scenario(script_signal, NULL, SIGWINCH, 0);
	is_int(r.code, 128 + SIGWINCH, "somebody's SIGWINCH is passed on");

	dies(script_no_greeting, "QEMU ended with code 1",
	    "QEMU that ends at once");
	dies(script_device_refused, "QEMU: device_add: no such bus",
	    "a device that QEMU refuses");
	dies(script_panic_at_boot, "guest console: Kernel panic",
	    "a panic at boot shows the console");
	dies(script_panic_at_boot, "\\x1b[2J", "escaped");
	dies(script_killed, "QEMU was killed by signal 9",
	    "QEMU killed while running");
	dies(script_silent_agent, "agent in the guest never answered",
	    "an agent that never answers");
	dies(script_wrong_version, "speaks version",
	    "an agent of another version");
	dies(script_garbage, "channel to the guest broke",
	    "garbage on the channel");
	dies(script_early_exit, "EXIT at the wrong time", "EXIT before START");
	dies(script_other_session, "never opened",
	    "an agent that makes up a session");
	r = scenario(script_silent_agent, NULL, 0, 1);
	ok(r.code == 125 && strstr(r.err, "virtiofsd ended with code 3"),
	    "virtiofsd that ends");
	return done_testing();
}
