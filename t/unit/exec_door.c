/* SPDX-License-Identifier: Apache-2.0
 * Relays find the supervisor, however early they come, and no later than their
 * deadline. */
#include "supervisor/exec_door.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t/tap.h"

#define LONG 60000 /* ms; longer than anything takes */

static char dir[] = "/tmp/runq-exec-door-XXXXXX";
static char path[64];

/* A relay that dials and says so: its pid. */
static pid_t
start_relay(void)
{
	struct err err;
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	fd = exec_door_dial(path, LONG, &err);
	_exit(fd != -1 && send(fd, "hello", 5, 0) == 5 ? 0 : 1);
}

static void
expect_relays(int listener, int n, const char *name)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};
	int met = 0, good = 0, status, fd;
	char text[8];

	while (met < n && poll(&p, 1, LONG) == 1) {
		if ((fd = accept(listener, NULL, NULL)) == -1)
			continue;
		met++;
		good += recv(fd, text, sizeof text, 0) == 5;
		close(fd);
	}
	is_int(good, n, name);
	for (int i = 0; i < n; i++)
		if (wait(&status) == -1 || status != 0)
			ok(false, "a relay failed");
}

int
main(void)
{
	struct err err;
	struct stat st;
	int listener;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/exec.sock", dir);
	ok(exec_door_dial(path, 50, &err) == -1 &&
		strstr(err.msg, "was not started within") != NULL,
	    "nobody comes: a deadline and a sentence");
	for (int i = 0; i < 5; i++)
		start_relay();
	listener = exec_door_listen(path, &err);
	ok(listener != -1 && stat(path, &st) == 0 &&
		(st.st_mode & 07777) == 0600,
	    "the supervisor listens, for root alone");
	expect_relays(listener, 5, "relays that came before it");
	start_relay();
	expect_relays(listener, 1, "and one that comes later");
	close(listener);
	ok(exec_door_dial(path, LONG, &err) == -1 &&
		strstr(err.msg, "has ended") != NULL,
	    "the supervisor is gone: at once, and a sentence");
	unlink(path);
	rmdir(dir);
	return done_testing();
}
