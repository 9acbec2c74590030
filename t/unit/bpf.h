/* SPDX-License-Identifier: Apache-2.0
 * An interpreter of classic BPF, for tests of seccomp filters: so that they can
 * be tested where none can be installed, and without dying of them. */
#ifndef T_UNIT_BPF_H
#define T_UNIT_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t
bpf_load(const struct seccomp_data *d, uint32_t off)
{
	uint32_t v;

	if (off > sizeof *d - sizeof v || off % 4 != 0)
		abort();
	memcpy(&v, (const char *)d + off, sizeof v);
	return v;
}

/* What the kernel's filter machine computes, for the instructions that
 * seccomp(2) allows and libseccomp uses. */
static uint32_t
bpf_run(const struct sock_fprog *p, uint32_t arch, uint32_t nr,
    const uint64_t args[6])
{
	struct seccomp_data d = {.nr = (int)nr, .arch = arch};
	uint32_t a = 0, mem[BPF_MEMWORDS] = {0};

	for (size_t i = 0; args != NULL && i < 6; i++)
		d.args[i] = args[i];
	for (size_t pc = 0; pc < p->len; pc++) {
		const struct sock_filter *f = &p->filter[pc];
		bool yes = false;

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = bpf_load(&d, f->k);
			continue;
		case BPF_LD | BPF_MEM:
			a = mem[f->k % BPF_MEMWORDS];
			continue;
		case BPF_ST:
			mem[f->k % BPF_MEMWORDS] = a;
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			continue;
		case BPF_RET | BPF_K:
			return f->k;
		case BPF_JMP | BPF_JA:
			pc += f->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = a == f->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			yes = a > f->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = a >= f->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			yes = (a & f->k) != 0;
			break;
		default:
			printf("# pc %zu: code %#x\n", pc, f->code);
			abort();
		}
		pc += yes ? f->jt : f->jf;
	}
	printf("# ran off the end\n");
	abort();
}

#endif
