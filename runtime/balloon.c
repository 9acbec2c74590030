/* SPDX-License-Identifier: Apache-2.0
 * The memory of a running VM: QEMU's monitor for people (QEMU QMP reference
 * manual, balloon and query-balloon), found through the supervisor's root. */
#include "runtime/balloon.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/paths.h"

#define ANSWER_WAIT 5  /* seconds, one answer of QEMU */
#define FOLLOW_WAIT 10 /* seconds, the guest */
#define STEP_MS 100    /* between looks at the guest */
#define LINE_MAX_QMP 65536
/* The guest gives up pages of 4 KiB; what is left over is no failure. */
#define SLACK (INT64_C(4) << 20)

struct qmp {
	int fd;
	struct buf in;
};

/* The next line, parsed; NULL with err. */
static struct json_object *
read_line(struct qmp *q, struct err *err)
{
	for (;;) {
		const uint8_t *p = buf_data(&q->in);
		size_t len = buf_len(&q->in);
		const uint8_t *end = len > 0 ? memchr(p, '\n', len) : NULL;
		uint8_t chunk[4096];
		ssize_t n;

		if (end != NULL) {
			size_t line = (size_t)(end - p);
			struct json_object *o =
			    json_parse((const char *)p, line, "QMP", err);

			buf_drain(&q->in, line + 1);
			return o;
		}
		if ((n = recv(q->fd, chunk, sizeof(chunk), 0)) == -1)
			return err_sys(err, "QEMU's monitor"), NULL;
		if (n == 0 || buf_append(&q->in, chunk, (size_t)n) == -1)
			return err_set(err, "QEMU's monitor: closed"), NULL;
	}
}

/* Sends a command; its "return", or NULL with err. Events are skipped. */
static struct json_object *
execute(struct qmp *q, const char *command, struct err *err)
{
	struct json_object *o, *v;

	if (send(q->fd, command, strlen(command), MSG_NOSIGNAL) == -1)
		return err_sys(err, "QEMU's monitor"), NULL;
	while ((o = read_line(q, err)) != NULL) {
		if (json_object_object_get_ex(o, "return", &v)) {
			json_object_get(v);
			json_object_put(o);
			return v;
		}
		if (json_object_object_get_ex(o, "error", &v)) {
			const char *desc = "";

			(void)json_opt_str(v, "error", "desc", &desc, NULL);
			err_set(err, "QEMU: %.256s", desc);
			json_object_put(o);
			return NULL;
		}
		json_object_put(o);
	}
	return NULL;
}

static int
command(struct qmp *q, const char *text, struct err *err)
{
	struct json_object *o = execute(q, text, err);

	json_object_put(o);
	return o == NULL ? -1 : 0;
}

static int
open_monitor(struct qmp *q, pid_t pid, struct err *err)
{
	const struct timeval wait = {ANSWER_WAIT, 0};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct json_object *greeting;

	snprintf(sun.sun_path, sizeof(sun.sun_path),
	    "/proc/%jd/root" PATH_QMP_SOCKET, (intmax_t)pid);
	q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (q->fd == -1 ||
	    setsockopt(q->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ==
		-1 ||
	    setsockopt(q->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) ==
		-1 ||
	    connect(q->fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		return err_sys(err, "QEMU's monitor");
	if ((greeting = read_line(q, err)) == NULL)
		return -1;
	json_object_put(greeting);
	return command(q, "{\"execute\":\"qmp_capabilities\"}\n", err);
}

static int
ask_size(struct qmp *q, int64_t *bytes, struct err *err)
{
	struct json_object *o =
	    execute(q, "{\"execute\":\"query-balloon\"}\n", err);
	int r;

	if (o == NULL)
		return -1;
	r = json_need_int(
	    o, "query-balloon", "actual", 0, INT64_MAX, bytes, err);
	json_object_put(o);
	return r;
}

static int
set_size(struct qmp *q, int64_t bytes, struct err *err)
{
	char text[96];

	snprintf(text, sizeof(text),
	    "{\"execute\":\"balloon\",\"arguments\":{\"value\":%" PRId64 "}}\n",
	    bytes);
	return command(q, text, err);
}

static int
follow(struct qmp *q, int64_t bytes, struct err *err)
{
	const struct timespec step = {0, STEP_MS * 1000000L};
	int64_t before, now;

	if (ask_size(q, &before, err) == -1 || set_size(q, bytes, err) == -1)
		return -1;
	for (int i = 0; i < FOLLOW_WAIT * 1000 / STEP_MS; i++) {
		if (ask_size(q, &now, err) == -1)
			return -1;
		/* growing again is the guest's own affair */
		if (now <= bytes + SLACK)
			return 0;
		nanosleep(&step, NULL);
	}
	(void)set_size(q, before, err);
	return err_set(err,
	    "the guest needs more: it keeps %" PRId64 " MiB of the %" PRId64
	    " that it should have",
	    now >> 20, bytes >> 20);
}

int
balloon_set(pid_t pid, int64_t bytes, struct err *err)
{
	struct qmp q = {.fd = -1};
	int r = -1;

	buf_init(&q.in, LINE_MAX_QMP);
	if (open_monitor(&q, pid, err) == 0)
		r = follow(&q, bytes, err);
	if (q.fd != -1)
		close(q.fd);
	buf_free(&q.in);
	return r;
}
