/* SPDX-License-Identifier: Apache-2.0
 * The supervisor's own seccomp filter: what its event loop needs once the VM
 * is set up, and nothing that opens, executes, maps code or changes what the
 * process is. */
#include "supervisor/filter.h"

#include <errno.h>
#include <linux/net.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

static const int allowed[] = {
    /* the loop */
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_wait), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(time), SCMP_SYS(timerfd_settime), SCMP_SYS(restart_syscall),
    /* streams, carrier, QMP, console */
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev),
    SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(recv), SCMP_SYS(sendmsg),
    SCMP_SYS(sendto), SCMP_SYS(send), SCMP_SYS(accept4), SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt), SCMP_SYS(shutdown), SCMP_SYS(close), SCMP_SYS(fcntl),
    SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
    SCMP_SYS(lseek),
    /* the terminal (TCGETS, TCSETS*, TIOCGWINSZ, FIONREAD) */
    SCMP_SYS(ioctl),
    /* children and signals */
    SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(kill), SCMP_SYS(getpid),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigreturn),
    /* memory, end */
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(getrandom), SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group),
    SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list), SCMP_SYS(rseq)};

/* Sockets to ask Docker's DNS server by: IPv4 alone. From this network
 * namespace they lead nowhere else. */
static int
allow_dns(scmp_filter_ctx ctx)
{
	static const int calls[] = {SCMP_SYS(connect), SCMP_SYS(getsockname)};
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
	    SCMP_A0(SCMP_CMP_EQ, AF_INET, 0));

	for (size_t i = 0; r == 0 && i < sizeof calls / sizeof calls[0]; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	return r;
}

/* Memory, but never executable. On s390 mmap(2)'s arguments are in memory,
 * where no filter sees them (kernel, arch/s390/kernel/syscall.c): there
 * mprotect(2) alone is held to this. */
static int
allow_memory(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp no_exec =
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	uint32_t arch = seccomp_arch_native();
	bool seen = arch != SCMP_ARCH_S390X && arch != SCMP_ARCH_S390;
	int r = seccomp_rule_add_array(
	    ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), seen ? 1 : 0, &no_exec);

	if (r == 0)
		r = seccomp_rule_add_array(
		    ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &no_exec);
	return r;
}

static int
add_rules(scmp_filter_ctx ctx, bool dns)
{
	int r = 0;

	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
		/* The number is a negative one of libseccomp's when this
		 * architecture lacks the call: no rule, or (s390x: recv, send)
		 * one for socketcall(2), by which its C library calls it. */
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
		if (r < 0)
			return r;
	}
	if (dns && (r = allow_dns(ctx)) < 0)
		return r;
	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
	    SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET, 0),
	    SCMP_A2(SCMP_CMP_EQ, SO_SNDBUF, 0));
	/* s390x: socketcall(2), whose further arguments are in memory */
	if (r == 0 && SCMP_SYS(socketcall) >= 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socketcall),
		    1, SCMP_A0(SCMP_CMP_EQ, SYS_SETSOCKOPT, 0));
	return r < 0 ? r : allow_memory(ctx);
}

void *
filter_new(bool dns, struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = ctx == NULL ? -ENOMEM : add_rules(ctx, dns);

	if (r == 0)
		return ctx;
	if (ctx != NULL)
		seccomp_release(ctx);
	err_set(err, "seccomp filter: %s", strerror(-r));
	return NULL;
}

int
filter_install(bool dns, struct err *err)
{
	scmp_filter_ctx ctx = filter_new(dns, err);
	int r;

	if (ctx == NULL)
		return -1;
	r = seccomp_load(ctx);
	seccomp_release(ctx);
	if (r < 0)
		return err_set(err, "seccomp filter: %s", strerror(-r));
	return 0;
}
