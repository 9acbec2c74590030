/* SPDX-License-Identifier: Apache-2.0
 * The supervisor's own filter, run in an interpreter of classic BPF. */
#include "supervisor/filter.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "t/tap.h"
#include "t/unit/bpf.h"

#define NATIVE_IS_S390X (seccomp_arch_native() == SCMP_ARCH_S390X)
#define ARGS(...)                                                              \
	(const uint64_t[6])                                                    \
	{                                                                      \
		__VA_ARGS__                                                    \
	}

static struct sock_filter insns[BPF_MAXINSNS];
static struct sock_fprog program = {.filter = insns};

static bool
make(bool dns)
{
	AUTO_FCLOSE FILE *f = tmpfile();
	struct err err = {""};
	void *ctx = filter_new(dns, &err);
	ssize_t n = -1;

	if (ctx != NULL && f != NULL && seccomp_export_bpf(ctx, fileno(f)) == 0)
		n = pread(fileno(f), insns, sizeof insns, 0);
	if (ctx != NULL)
		seccomp_release(ctx);
	program.len = (unsigned short)(n > 0 ? n / (ssize_t)sizeof *insns : 0);
	if (!ok(n > 0, "the filter, %s DNS", dns ? "with" : "without"))
		printf("# %s\n", err.msg);
	return n > 0;
}

static void
check(uint32_t action, long nr, const uint64_t args[6], const char *name)
{
	uint32_t got =
	    bpf_run(&program, seccomp_arch_native(), (uint32_t)nr, args);

	if (!ok(got == action, "%s: %s", name,
		action == SCMP_ACT_ALLOW ? "allowed" : "killed"))
		printf("# %ld: %#x\n", nr, got);
}

#define allows(call, args, name) check(SCMP_ACT_ALLOW, call, args, name)
#define kills(call, args, name) check(SCMP_ACT_KILL_PROCESS, call, args, name)

struct call {
	const char *name;
	long nr;
};
#define CALL(name)                                                             \
	{                                                                      \
#name, SYS_##name                                              \
	}

static void
test_calls(void)
{
	static const struct call good[] = {CALL(read), CALL(write),
	    CALL(epoll_pwait), CALL(recvmsg), CALL(sendmsg), CALL(accept4),
	    CALL(wait4), CALL(munmap), CALL(exit_group)};
	static const struct call bad[] = {CALL(openat), CALL(execve),
	    CALL(clone), CALL(ptrace), CALL(mount), CALL(socket), CALL(bind),
	    CALL(connect), CALL(setns), CALL(prctl), CALL(bpf)};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		allows(good[i].nr, NULL, good[i].name);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		kills(bad[i].nr, NULL, bad[i].name);
}

static void
test_memory(void)
{
	allows(SYS_mprotect, ARGS(0, 0, PROT_READ | PROT_WRITE), "mprotect rw");
	kills(SYS_mprotect, ARGS(0, 0, PROT_READ | PROT_EXEC), "mprotect rx");
	if (NATIVE_IS_S390X) {
		/* a pointer, and what happens to be in the registers */
		allows(SYS_mmap, ARGS(0x3ff00000000, 1, 0xffff), "mmap");
		return;
	}
	allows(SYS_mmap, ARGS(0, 4096, PROT_READ | PROT_WRITE), "mmap rw");
	kills(SYS_mmap, ARGS(0, 4096, PROT_READ | PROT_EXEC), "mmap rx");
}

/* glibc's way to sockets on s390x: numbers of linux/net.h. */
static void
test_socketcall(bool dns)
{
	const long nr = seccomp_syscall_resolve_name("socketcall");

	if (!NATIVE_IS_S390X) {
		skip("socketcall", "this machine has none");
		return;
	}
	allows(nr, ARGS(9), "send by socketcall");
	allows(nr, ARGS(10), "recv by socketcall");
	allows(nr, ARGS(14, 0x3ffc0000000), "setsockopt by socketcall");
	allows(nr, ARGS(15, 0x3ffc0000000), "getsockopt by socketcall");
	allows(nr, ARGS(17), "recvmsg by socketcall");
	allows(nr, ARGS(18), "accept4 by socketcall");
	kills(nr, ARGS(2), "bind by socketcall");
	check(dns ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS, nr, ARGS(1),
	    "socket by socketcall");
}

int
main(void)
{
	if (lacks_syscall(SYS_seccomp))
		seccomp_api_set(6); /* the kernel is not asked */
	if (!make(false))
		return 1;
	test_calls();
	test_memory();
	test_socketcall(false);
	if (!make(true))
		return 1;
	allows(SYS_socket, ARGS(AF_INET), "an IPv4 socket for DNS");
	kills(SYS_socket, ARGS(AF_UNIX), "another socket");
	allows(SYS_connect, NULL, "connect for DNS");
	kills(SYS_bind, NULL, "bind with DNS");
	test_socketcall(true);
	return done_testing();
}
