/* SPDX-License-Identifier: Apache-2.0
 * The last lines of something talkative, kept in a ring. */
#include "supervisor/tail.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

struct tail {
	struct event *ev;
	int fd;
	char ring[TAIL_SIZE];
	size_t total; /* bytes ever; the ring holds the last TAIL_SIZE */
};

static void
ring_put(struct tail *t, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		t->ring[t->total++ % TAIL_SIZE] = p[i];
}

/* One read: bytes, 0 for nothing now, -1 at the end. */
static ssize_t
read_some(struct tail *t)
{
	char chunk[4096];
	ssize_t n = read(t->fd, chunk, sizeof chunk);

	if (n > 0)
		ring_put(t, chunk, (size_t)n);
	else if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	else
		return -1;
	return n;
}

static void
tail_read_cb(evutil_socket_t fd, short what, void *arg)
{
	struct tail *t = arg;

	(void)fd;
	(void)what;
	if (read_some(t) == -1)
		event_del(t->ev);
}

struct tail *
tail_new(struct event_base *base, int fd)
{
	struct tail *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->fd = fd;
	evutil_make_socket_nonblocking(fd);
	t->ev = event_new(base, fd, EV_READ | EV_PERSIST, tail_read_cb, t);
	if (t->ev == NULL || event_add(t->ev, NULL) == -1) {
		tail_free(t);
		return NULL;
	}
	return t;
}

void
tail_free(struct tail *t)
{
	if (t == NULL)
		return;
	if (t->ev != NULL)
		event_free(t->ev);
	close(t->fd);
	free(t);
}

void
tail_drain(struct tail *t)
{
	/* bounded: a writer that never stops must not hold us */
	for (int i = 0; i < 64 && read_some(t) > 0; i++)
		;
}

int
tail_show(const struct tail *t, const char *name, int lines)
{
	char text[TAIL_SIZE + 1], escaped[1024], *line, *save = NULL;
	size_t len = t->total < TAIL_SIZE ? t->total : TAIL_SIZE;
	int all = 0, shown = 0, i = 0;

	for (size_t k = 0; k < len; k++) {
		text[k] = t->ring[(t->total - len + k) % TAIL_SIZE];
		if (text[k] == '\0' || text[k] == '\r')
			text[k] = '\n';
	}
	text[len] = '\0';
	for (size_t k = 0; k < len; k++)
		if (text[k] != '\n' && (k == 0 || text[k - 1] == '\n'))
			all++;
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (i++ < all - lines)
			continue;
		log_escape(escaped, sizeof escaped, line, strlen(line));
		log_error("%s: %s", name, escaped);
		shown++;
	}
	return shown;
}
