/* SPDX-License-Identifier: Apache-2.0
 * Tries system calls that capabilities and seccomp profiles decide about,
 * with arguments that do nothing when they are let through. */
#include "t/e2e/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The number of a call without its name in the C library's headers would be
 * -1, which the kernel answers with ENOSYS. */
static const struct {
	const char *name;
	long nr;
	long args[6];
} calls[] = {
    {"acct", SYS_acct, {1}},
    {"add_key", SYS_add_key, {0}},
    {"adjtimex", SYS_adjtimex, {1}},
    {"bpf", SYS_bpf, {-1}},
    {"chroot", SYS_chroot, {1}},
    {"clock_settime", SYS_clock_settime, {0, 1}},
    {"clone3", SYS_clone3, {0, 0}},
    {"delete_module", SYS_delete_module, {1, 0}},
    {"fanotify_init", SYS_fanotify_init, {-1}},
    {"fsopen", SYS_fsopen, {1, 0}},
    {"get_mempolicy", SYS_get_mempolicy, {0, 1, 0, 0, -1}},
    {"init_module", SYS_init_module, {1, 0, 1}},
    {"io_uring_setup", SYS_io_uring_setup, {0, 0}},
    {"kcmp", SYS_kcmp, {1, 1, -1}},
    {"kexec_load", SYS_kexec_load, {0, 0, 0, -1}},
    {"keyctl", SYS_keyctl, {-1}},
    {"mbind", SYS_mbind, {1, 0, -1}},
    {"mount", SYS_mount, {1, 1, 1, 0, 0}},
    {"move_mount", SYS_move_mount, {-1, 1, -1, 1, 0}},
    {"open_by_handle_at", SYS_open_by_handle_at, {-1, 1, 0}},
    {"open_tree", SYS_open_tree, {-1, 1, 0}},
    {"perf_event_open", SYS_perf_event_open, {0, 0, 0, -1, 0}},
    {"personality-query", SYS_personality, {0xffffffff}},
    {"personality-uname26", SYS_personality, {UNAME26}},
    {"pidfd_getfd", SYS_pidfd_getfd, {-1, -1, 0}},
    {"pivot_root", SYS_pivot_root, {1, 1}},
    {"process_vm_readv", SYS_process_vm_readv, {0}},
    {"ptrace", SYS_ptrace, {-1}},
    {"quotactl", SYS_quotactl, {-1, 1, 0, 0}},
    {"request_key", SYS_request_key, {0}},
    {"sched_setattr", SYS_sched_setattr, {0, 0, 0}},
    {"setdomainname", SYS_setdomainname, {1, 1}},
    {"sethostname", SYS_sethostname, {1, 1}},
    {"setns", SYS_setns, {-1, 0}},
    {"settimeofday", SYS_settimeofday, {1, 0}},
    {"socket-inet", SYS_socket, {AF_INET, SOCK_STREAM, 0}},
    {"socket-raw", SYS_socket, {AF_INET, SOCK_RAW, 1}},
    {"socket-packet", SYS_socket, {AF_PACKET, SOCK_RAW, 0}},
    {"swapoff", SYS_swapoff, {1}},
    {"swapon", SYS_swapon, {1, 0}},
    {"syslog", SYS_syslog, {10, 0, 0}},
    {"umount2", SYS_umount2, {1, 0}},
    {"unshare-none", SYS_unshare, {0}},
    {"unshare-uts", SYS_unshare, {CLONE_NEWUTS}},
    {"unshare-user", SYS_unshare, {CLONE_NEWUSER}},
    {"userfaultfd", SYS_userfaultfd, {-1}},
    {"vhangup-by-number", -1, {0}},
};

/* Each call in a child of its own: some end the process when refused, and
 * what one changes must not matter to the next. */
int
verb_syscalls(int argc, char **argv)
{
	size_t i;
	pid_t pid;
	int status;
	long r;

	(void)argc;
	(void)argv;
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		printf("%s: ", calls[i].name);
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			r = syscall(calls[i].nr, calls[i].args[0],
			    calls[i].args[1], calls[i].args[2],
			    calls[i].args[3], calls[i].args[4],
			    calls[i].args[5]);
			puts(result(r));
			fflush(stdout);
			_exit(0);
		}
		if (pid == -1 || waitpid(pid, &status, 0) == -1)
			return 1;
		if (WIFSIGNALED(status))
			printf("signal %d\n", WTERMSIG(status));
	}
	return 0;
}
