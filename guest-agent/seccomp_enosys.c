/* SPDX-License-Identifier: Apache-2.0
 * The head of a seccomp program: ENOSYS for numbers above the profile's. */
#include "guest-agent/seccomp_enosys.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>

/* x32 shares x86_64's audit architecture and marks its numbers with this bit
 * (arch/x86/include/uapi/asm/unistd.h, __X32_SYSCALL_BIT). */
#define X32_BIT 0x40000000u

#define LOAD(member)                                                           \
	(struct sock_filter) BPF_STMT(                                         \
	    BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define JUMP(op, k, jt, jf)                                                    \
	(struct sock_filter) BPF_JUMP(BPF_JMP | (op) | BPF_K, k, jt, jf)
#define RET_ENOSYS                                                             \
	(struct sock_filter)                                                   \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS)

size_t
seccomp_enosys_emit(struct sock_filter *out, uint32_t arch, uint32_t largest)
{
	uint32_t audit = arch == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : arch;
	size_t n = 0;

	/* The jumps to the end are filled in when the end is known. */
	out[n++] = LOAD(arch);
	out[n++] = JUMP(BPF_JEQ, audit, 0, 0);
	out[n++] = LOAD(nr);
	if (arch == SCMP_ARCH_X86_64 || arch == SCMP_ARCH_X32)
		out[n++] = JUMP(BPF_JSET, X32_BIT, 0, 0);
	/*
	 * The kernel of s390 takes numbers above 255 in a register and leaves
	 * 0 as the number when it does not know them; setup(2), the real 0,
	 * is long gone.
	 */
	if (arch == SCMP_ARCH_S390 || arch == SCMP_ARCH_S390X) {
		out[n++] = JUMP(BPF_JEQ, 0, 0, 1);
		out[n++] = RET_ENOSYS;
	}
	out[n++] = JUMP(BPF_JGT, largest, 0, 1);
	out[n++] = RET_ENOSYS;

	out[1].jf = (uint8_t)(n - 2);
	if (arch == SCMP_ARCH_X86_64)
		out[3].jt = (uint8_t)(n - 4);
	if (arch == SCMP_ARCH_X32)
		out[3].jf = (uint8_t)(n - 4);
	return n;
}
