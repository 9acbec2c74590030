/* SPDX-License-Identifier: Apache-2.0
 * What the DNS relay waits on: an epoll instance of its own. */
#include "lib/dns_loop.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Events in one go, so that nobody else's turn is long in coming. */
#define BATCH 64

int
dns_loop_open(struct dns_loop *l, struct err *err)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};

	*l = (struct dns_loop){.epfd = epoll_create1(EPOLL_CLOEXEC),
	    .timer =
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
	if (l->epfd == -1 || l->timer == -1 ||
	    epoll_ctl(l->epfd, EPOLL_CTL_ADD, l->timer, &ev) == -1) {
		err_sys(err, "DNS relay");
		dns_loop_close(l);
		return -1;
	}
	return 0;
}

void
dns_loop_close(struct dns_loop *l)
{
	if (l->timer != -1)
		close(l->timer);
	if (l->epfd != -1)
		close(l->epfd);
	l->timer = l->epfd = -1;
}

int
dns_watch(struct dns_loop *l, struct dns_source *s, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = s};
	int op = EPOLL_CTL_MOD;

	if (events == s->events)
		return 0;
	if (s->events == 0)
		op = EPOLL_CTL_ADD;
	else if (events == 0)
		op = EPOLL_CTL_DEL;
	s->events = events;
	return epoll_ctl(l->epfd, op, s->fd, &ev);
}

void
dns_close(struct dns_loop *l, struct dns_source *s)
{
	if (s->fd == -1)
		return;
	dns_watch(l, s, 0);
	close(s->fd);
	s->fd = -1;
}

/* One event at a time: a callback may close any other source. */
bool
dns_loop_run(struct dns_loop *l)
{
	struct epoll_event ev;
	struct dns_source *s;
	uint64_t ticks;
	bool tick = false;

	for (int i = 0; i < BATCH && epoll_wait(l->epfd, &ev, 1, 0) == 1; i++) {
		if ((s = ev.data.ptr) != NULL)
			s->cb(s, ev.events);
		else if (read(l->timer, &ticks, sizeof ticks) > 0)
			tick = true;
	}
	return tick;
}

void
dns_loop_tick(struct dns_loop *l, bool on)
{
	const struct itimerspec second = {
	    .it_interval = {on, 0}, .it_value = {on, 0}};

	if (on == l->ticking)
		return;
	l->ticking = on;
	timerfd_settime(l->timer, 0, &second, NULL);
}

uint64_t
dns_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void
dns_map(const struct sockaddr_storage *from, struct in6_addr *to)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

	if (from->ss_family == AF_INET6) {
		*to = in6->sin6_addr;
		return;
	}
	memset(to, 0, sizeof *to);
	to->s6_addr[10] = to->s6_addr[11] = 0xff;
	memcpy(to->s6_addr + 12, &in->sin_addr, 4);
}

socklen_t
dns_sockaddr(
    const struct in6_addr *from, uint16_t port, struct sockaddr_storage *to)
{
	struct sockaddr_in *in = (struct sockaddr_in *)to;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof *to);
	if (!IN6_IS_ADDR_V4MAPPED(from)) {
		in6->sin6_family = AF_INET6;
		in6->sin6_addr = *from;
		in6->sin6_port = htons(port);
		return sizeof *in6;
	}
	in->sin_family = AF_INET;
	memcpy(&in->sin_addr, from->s6_addr + 12, 4);
	in->sin_port = htons(port);
	return sizeof *in;
}
