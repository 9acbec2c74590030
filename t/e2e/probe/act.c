/* SPDX-License-Identifier: Apache-2.0
 * Verbs that do something which can be seen from outside: end with a status
 * or a signal, write and count streams, trap signals, leave orphans. */
#include "t/e2e/probe/probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 65536

int
verb_exit(int argc, char **argv)
{
	_exit((int)arg_number(argc, argv, 1, 0));
}

/* By a child when the caller is PID 1, which the kernel shields from its own
 * signals: then the child's status is passed on as a shell does it. */
int
verb_kill(int argc, char **argv)
{
	int sig = (int)arg_number(argc, argv, 1, SIGKILL), status;
	pid_t pid;

	if (getpid() != 1) {
		kill(getpid(), sig);
		return 97;
	}
	pid = fork();
	if (pid == 0) {
		kill(getpid(), sig);
		_exit(97);
	}
	if (waitpid(pid, &status, 0) == -1)
		return 96;
	printf(
	    "child: signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : 97;
}

/*
 * Writes BYTES bytes of a pattern that the tests know: blocks of 64 KiB, each
 * its own number in eight bytes, big-endian, then all byte values in turn.
 */
int
verb_write(int argc, char **argv)
{
	static unsigned char block[BLOCK];
	long fd = arg_number(argc, argv, 1, 1);
	long left = arg_number(argc, argv, 2, 0);
	uint64_t number = 0;
	size_t i, want;
	ssize_t n;

	for (i = 8; i < BLOCK; i++)
		block[i] = (unsigned char)i;
	for (; left > 0; left -= (long)want, number++) {
		for (i = 0; i < 8; i++)
			block[i] = (unsigned char)(number >> (56 - 8 * i));
		want = left < BLOCK ? (size_t)left : BLOCK;
		for (i = 0; i < want; i += (size_t)n) {
			n = write((int)fd, block + i, want - i);
			if (n == -1) {
				fprintf(stderr, "write: %s\n", result(-1));
				return 1;
			}
		}
	}
	_exit((int)arg_number(argc, argv, 3, 0));
}

/* Reads stdin to its end; prints how many bytes came and their FNV-1a sum. */
int
verb_count(int argc, char **argv)
{
	static unsigned char buf[BLOCK];
	uint64_t sum = 0xcbf29ce484222325, total = 0;
	ssize_t i, n;

	(void)argc;
	(void)argv;
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
		total += (uint64_t)n;
		for (i = 0; i < n; i++)
			sum = (sum ^ buf[i]) * 0x100000001b3;
	}
	printf("bytes %llu sum %016llx end %s\n", (unsigned long long)total,
	    (unsigned long long)sum, n == 0 ? "EOF" : result(-1));
	return 0;
}

/* Blocks every signal and takes them one by one, in the order of arrival. */
int
verb_trap(int argc, char **argv)
{
	int last = (int)arg_number(argc, argv, 1, SIGTERM), sig;
	siginfo_t si;
	sigset_t set;

	if (argc > 3)
		signal((int)arg_number(argc, argv, 3, SIGTERM), SIG_IGN);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");
	for (;;) {
		fflush(stdout);
		sig = sigwaitinfo(&set, &si);
		if (sig == -1 && errno == EINTR)
			continue;
		printf("signal %d\n", sig);
		if (sig == last)
			return 40;
	}
}

int
verb_hold(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

/* Prints the window size, and again whenever it changes, COUNT times. */
int
verb_winsize(int argc, char **argv)
{
	long left = arg_number(argc, argv, 1, 1);
	struct winsize ws, old = {0};
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (left > 0) {
		if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == -1) {
			printf("TIOCGWINSZ: %s\n", result(-1));
			return 1;
		}
		if (ws.ws_row != old.ws_row || ws.ws_col != old.ws_col) {
			printf("size %u %u\n", ws.ws_row, ws.ws_col);
			fflush(stdout);
			old = ws;
			left--;
		}
		if (left > 0)
			sigwait(&set, &sig);
	}
	return 0;
}

/*
 * Makes COUNT grandchildren whose parents end first, and sees whether PID 1,
 * when that is the caller, gets and reaps them all; otherwise whether they
 * went to somebody else and vanish.
 */
int
verb_orphans(int argc, char **argv)
{
	long count = arg_number(argc, argv, 1, 1), i, reaped = 0;
	int status, p[2];
	pid_t pid;
	char c;

	if (pipe(p) == -1)
		return 1;
	for (i = 0; i < count; i++) {
		pid = fork();
		if (pid == 0) {
			close(p[1]);
			if (fork() == 0) {
				/* until the caller closes its end */
				if (read(p[0], &c, 1) == 0)
					_exit(7);
				_exit(8);
			}
			_exit(0);
		}
		waitpid(pid, &status, 0);
	}
	close(p[1]);
	while (wait(&status) > 0) {
		if (WIFEXITED(status) && WEXITSTATUS(status) == 7)
			reaped++;
	}
	printf("caller is PID 1: %s, reaped %ld of %ld\n",
	    getpid() == 1 ? "yes" : "no", reaped, count);
	return 0;
}

/* Answers each datagram with its own bytes, for ever. */
int
verb_udp(int argc, char **argv)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	char buf[2048];
	ssize_t n;
	int fd;

	sin.sin_port = htons((uint16_t)arg_number(argc, argv, 1, 9));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sin, len) == -1) {
		printf("bind: %s\n", result(-1));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		len = sizeof(sin);
		n = recvfrom(
		    fd, buf, sizeof(buf), 0, (struct sockaddr *)&sin, &len);
		if (n > 0)
			sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&sin,
			    len);
	}
}
