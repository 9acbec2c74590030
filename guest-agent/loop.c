/* SPDX-License-Identifier: Apache-2.0
 * The agent's event loop: epoll and nothing else. */
#include "guest-agent/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH 32

struct loop {
	int epfd;
	/* the batch under way; a source that leaves the set is struck out */
	struct epoll_event batch[BATCH];
	int n;
};

struct loop *
loop_new(struct err *err)
{
	struct loop *l = calloc(1, sizeof *l);

	if (l == NULL || (l->epfd = epoll_create1(EPOLL_CLOEXEC)) == -1) {
		err_sys(err, "epoll");
		free(l);
		return NULL;
	}
	return l;
}

void
loop_watch(struct loop *l, struct loop_source *s, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = s};

	if (events == s->events)
		return;
	if (events == 0) {
		epoll_ctl(l->epfd, EPOLL_CTL_DEL, s->fd, NULL);
		for (int i = 0; i < l->n; i++)
			if (l->batch[i].data.ptr == s)
				l->batch[i].data.ptr = NULL;
	} else {
		epoll_ctl(l->epfd,
		    s->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, s->fd, &ev);
	}
	s->events = events;
}

int
loop_run(struct loop *l, const bool *stop, struct err *err)
{
	struct loop_source *s;

	while (!*stop) {
		l->n = epoll_wait(l->epfd, l->batch, BATCH, -1);
		if (l->n == -1 && errno != EINTR)
			return err_sys(err, "epoll_wait");
		for (int i = 0; i < l->n && !*stop; i++)
			if ((s = l->batch[i].data.ptr) != NULL)
				s->cb(s->arg, l->batch[i].events);
		l->n = 0;
	}
	return 0;
}
