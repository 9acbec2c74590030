/* SPDX-License-Identifier: Apache-2.0
 * Reads and writes stdio without ever waiting for it, and without making file
 * descriptions non-blocking that the shell and others share. */
#ifndef RUNTIME_REXEC_STDIO_H
#define RUNTIME_REXEC_STDIO_H

#include <stddef.h>
#include <sys/types.h>

enum stdio_kind {
	STDIO_OWN,    /* opened anew, non-blocking */
	STDIO_FILE,   /* never waits */
	STDIO_SOCKET, /* MSG_DONTWAIT */
	STDIO_SHARED  /* only what poll(2) has said, in small portions */
};

struct stdio_fd {
	int fd;	 /* -1: closed */
	int std; /* 0, 1 or 2 */
	enum stdio_kind kind;
};

/* std is one of the three; closed ones become /dev/null. */
void stdio_fd_open(struct stdio_fd *s, int std);

/* So that its other end notices. 2 itself stays open, for messages. */
void stdio_fd_close(struct stdio_fd *s);

/* As read(2) and write(2): -1 with EAGAIN when there is nothing to do now.
 * Without a word from poll(2) (polled is false) a shared one is not touched. */
ssize_t stdio_fd_read(struct stdio_fd *s, void *p, size_t n);
ssize_t
stdio_fd_write(struct stdio_fd *s, const void *p, size_t n, _Bool polled);

#endif
