/* SPDX-License-Identifier: Apache-2.0
 * Port 53 of Docker's DNS server, for the processes of a control group.
 *
 * The container may want port 53 of all its addresses for a DNS server of its
 * own, so the agent must not sit there. On a host Docker has address
 * translation for that; here a few instructions of BPF do it, attached to the
 * control group (kernel bpf/libbpf/program_types.rst, BPF_PROG_TYPE_CGROUP_
 * SOCK_ADDR): they change the port at connect(2) and sendto(2), and change it
 * back where a process asks who answered. No modules, nothing to be seen in
 * the network namespace. */
#include "guest-agent/dns_redirect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/dns_relay.h"

#define PROGRAM_MAX 24

struct program {
	struct bpf_insn insns[PROGRAM_MAX];
	int n;
	int jumps[8]; /* those to the end */
	int n_jumps;
};

static void
emit(struct program *p, uint8_t code, uint8_t dst, uint8_t src, int16_t off,
    int32_t imm)
{
	p->insns[p->n++] = (struct bpf_insn){.code = code,
	    .dst_reg = dst & 0xf,
	    .src_reg = src & 0xf,
	    .off = off,
	    .imm = imm};
}

/* Unless that u32 of the context (r1) is value: to the end. */
static void
emit_require(struct program *p, size_t off, uint32_t value)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, 2, 1, (int16_t)off, 0);
	p->jumps[p->n_jumps++] = p->n;
	emit(p, BPF_JMP32 | BPF_JNE | BPF_K, 2, 0, 0, (int32_t)value);
}

/* Ports are in network order, in the low half of the u32. */
static void
build(struct program *p, bool v6, uint16_t from, uint16_t to)
{
	const size_t ip6 = offsetof(struct bpf_sock_addr, user_ip6);
	const size_t port = offsetof(struct bpf_sock_addr, user_port);

	*p = (struct program){.n = 0};
	if (v6) { /* a mapped address (RFC 4291, 2.5.5.2) */
		emit_require(p, ip6, 0);
		emit_require(p, ip6 + 4, 0);
		emit_require(p, ip6 + 8, htonl(0xffff));
		emit_require(p, ip6 + 12, htonl(DNS_DOCKER_ADDRESS));
	} else {
		emit_require(p, offsetof(struct bpf_sock_addr, user_ip4),
		    htonl(DNS_DOCKER_ADDRESS));
	}
	emit_require(p, port, htons(from));
	emit(p, BPF_ALU | BPF_MOV | BPF_K, 2, 0, 0, htons(to));
	emit(p, BPF_STX | BPF_MEM | BPF_W, 1, 2, (int16_t)port, 0);
	for (int i = 0; i < p->n_jumps; i++)
		p->insns[p->jumps[i]].off = (int16_t)(p->n - p->jumps[i] - 1);
	emit(p, BPF_ALU | BPF_MOV | BPF_K, 0, 0, 0, 1); /* go on */
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int
attach(int cgroup, const struct program *p, enum bpf_attach_type type,
    struct err *err)
{
	static const char license[] = "Apache-2.0";
	union bpf_attr attr;
	AUTO_CLOSE int fd = -1;

	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
	attr.expected_attach_type = type;
	attr.insns = (uintptr_t)p->insns;
	attr.insn_cnt = (uint32_t)p->n;
	attr.license = (uintptr_t)license;
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
	if (fd == -1)
		return err_sys(err, "BPF program %d: load", (int)type);
	memset(&attr, 0, sizeof attr);
	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)fd;
	attr.attach_type = type;
	/* groups below may have their own in addition */
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof attr) == -1)
		return err_sys(err, "BPF program %d: attach", (int)type);
	return 0;
}

int
dns_redirect(int cgroup, uint16_t port, struct err *err)
{
	static const struct {
		enum bpf_attach_type type;
		bool v6, back;
	} hooks[] = {
	    {BPF_CGROUP_INET4_CONNECT, false, false},
	    {BPF_CGROUP_UDP4_SENDMSG, false, false},
	    {BPF_CGROUP_UDP4_RECVMSG, false, true},
	    {BPF_CGROUP_INET4_GETPEERNAME, false, true},
	    /* IPv6 sockets that send to a mapped address */
	    {BPF_CGROUP_INET6_CONNECT, true, false},
	    {BPF_CGROUP_UDP6_RECVMSG, true, true},
	    {BPF_CGROUP_INET6_GETPEERNAME, true, true},
	};
	struct program p;

	for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++) {
		if (hooks[i].back)
			build(&p, hooks[i].v6, port, DNS_PORT);
		else
			build(&p, hooks[i].v6, DNS_PORT, port);
		if (attach(cgroup, &p, hooks[i].type, err) == -1)
			return err_prefix(err, "Docker's DNS server");
	}
	return 0;
}
