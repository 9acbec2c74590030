/* SPDX-License-Identifier: Apache-2.0
 * virtiofsd: exports PATH_SHARE to the guest, from its own sandbox (mount, pid
 * and net namespaces, seccomp, eight capabilities), which is never off. */
#include "supervisor/virtiofsd.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/paths.h"
#include "supervisor/share.h"

#define SOCKET_PATH PATH_RUN "/virtiofs.sock"

/*
 * virtiofsd wants a listening socket. It is bound, connected and unlinked
 * here, so that nobody else can ever connect.
 */
static int
make_socket(int *listening, int *connected, struct err *err)
{
	const struct sockaddr_un sa = {
	    .sun_family = AF_UNIX, .sun_path = SOCKET_PATH};
	AUTO_CLOSE int l = -1, c = -1;

	if ((l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    (c = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(l, (const struct sockaddr *)&sa, sizeof sa) == -1 ||
	    listen(l, 1) == -1 ||
	    connect(c, (const struct sockaddr *)&sa, sizeof sa) == -1 ||
	    unlink(SOCKET_PATH) == -1)
		return err_sys(err, "virtiofsd: socket " SOCKET_PATH);
	*listening = take_fd(&l);
	*connected = take_fd(&c);
	return 0;
}

int
virtiofsd_start(int log, struct share *out, struct err *err)
{
	AUTO_CLOSE int listening = -1;
	char fd_option[32];
	/*
	 * What the guest has read stays in its page cache until a file's
	 * time or size changes, looked at once a second: "auto" would read
	 * every program and library again at each start of a process. Names
	 * and attributes are a second old at most in both.
	 * No rlimit: the container's own is what it gets.
	 */
	char *argv[] = {(char[]){PATH_VIRTIOFSD}, fd_option, (char[]){"-o"},
	    (char[]){"source=" PATH_SHARE}, (char[]){"-o"},
	    (char[]){"sandbox=namespace,cache=always,timeout=1,xattr,"
		     "announce_submounts,log_level=warn"},
	    (char[]){"--rlimit-nofile=0"}, (char[]){"--thread-pool-size=0"},
	    (char[]){"-f"}, NULL};
	struct spawn s = {.name = "virtiofsd",
	    .argv = argv,
	    .fds = &listening,
	    .nfds = 1,
	    .stderr_fd = log};

	if (make_socket(&listening, &out->socket_fd, err) == -1)
		return -1;
	snprintf(fd_option, sizeof fd_option, "--fd=%d", listening);
	return spawn_start(&s, &out->child, err);
}
