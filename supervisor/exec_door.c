/* SPDX-License-Identifier: Apache-2.0
 * Where relays find the supervisor.
 *
 * An engine executes nothing before the container was started, and then the
 * supervisor has been executed or is about to be: so a relay may come before
 * the socket. It waits for it to appear (inotify(7)), which is one rename(2) of
 * a socket that listens already. */
#include "supervisor/exec_door.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define PREPARED ".new"

static int
address(struct sockaddr_un *sa, const char *path, const char *suffix,
    struct err *err)
{
	int n;

	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(sa->sun_path, sizeof sa->sun_path, "%s%s", path, suffix);
	if (n < 0 || (size_t)n >= sizeof sa->sun_path)
		return err_set(err, "%s: too long", path);
	return 0;
}

int
exec_door_listen(const char *path, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct sockaddr_un sa;

	if (address(&sa, path, PREPARED, err) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 ||
	    bind(fd, (const struct sockaddr *)&sa, sizeof sa) == -1 ||
	    chmod(sa.sun_path, 0600) == -1 || listen(fd, SOMAXCONN) == -1 ||
	    rename(sa.sun_path, path) == -1)
		return err_sys(err, "listen at %s", path);
	return take_fd(&fd);
}

static int
watch_folder(const char *path, struct err *err)
{
	AUTO_CLOSE int in = inotify_init1(IN_CLOEXEC);
	const char *slash = strrchr(path, '/');
	char dir[128];

	snprintf(dir, sizeof dir, "%.*s", (int)(slash + 1 - path), path);
	if (in == -1 || inotify_add_watch(in, dir, IN_MOVED_TO) == -1)
		return err_sys(err, "exec: watch %s", dir);
	return take_fd(&in);
}

static long long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Something appeared in the folder: 1; the deadline passed: 0. */
static int
wait_for_change(int in, long long end)
{
	struct pollfd p = {.fd = in, .events = POLLIN};
	long long left = end - now_ms();
	char events[4096];

	if (left <= 0 || poll(&p, 1, (int)left) == 0)
		return 0;
	if (p.revents & POLLIN)
		(void)!read(in, events, sizeof events);
	return 1;
}

int
exec_door_dial(const char *path, int ms, struct err *err)
{
	long long end = now_ms() + ms;
	AUTO_CLOSE int fd = -1, in = -1;
	struct sockaddr_un sa;

	if (address(&sa, path, "", err) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return err_sys(err, "exec: socket");
	for (;;) {
		if (connect(fd, (const struct sockaddr *)&sa, sizeof sa) == 0)
			return take_fd(&fd);
		if (errno == ECONNREFUSED)
			return err_set(err, "exec: the container has ended");
		if (errno != ENOENT && errno != EINTR)
			return err_sys(err, "exec: the VM's supervisor");
		/* once more when it is watched: it may just have come */
		if (in == -1) {
			if ((in = watch_folder(path, err)) == -1)
				return -1;
		} else if (!wait_for_change(in, end)) {
			return err_set(err,
			    "exec: the container was not started within %d s",
			    ms / 1000);
		}
	}
}
