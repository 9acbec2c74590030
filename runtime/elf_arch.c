/* SPDX-License-Identifier: Apache-2.0
 * For which machine a program is. */
#include "runtime/elf_arch.h"

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct machine {
	uint16_t machine;
	unsigned char class, data;
	const char *name;
} machines[] = {
    {EM_X86_64, ELFCLASS64, ELFDATA2LSB, "x86_64"},
    {EM_X86_64, ELFCLASS32, ELFDATA2LSB, "x86_64"}, /* x32 */
    {EM_386, ELFCLASS32, ELFDATA2LSB, "x86_64"},
    {EM_S390, ELFCLASS64, ELFDATA2MSB, "s390x"},
    {EM_S390, ELFCLASS32, ELFDATA2MSB, "s390"},
    {EM_AARCH64, ELFCLASS64, ELFDATA2LSB, "aarch64"},
    {EM_ARM, ELFCLASS32, ELFDATA2LSB, "arm"},
    {EM_PPC64, ELFCLASS64, ELFDATA2LSB, "ppc64le"},
    {EM_PPC64, ELFCLASS64, ELFDATA2MSB, "ppc64"},
    {EM_RISCV, ELFCLASS64, ELFDATA2LSB, "riscv64"},
    {EM_LOONGARCH, ELFCLASS64, ELFDATA2LSB, "loongarch64"},
    {EM_MIPS, ELFCLASS64, ELFDATA2LSB, "mips64el"},
};

static uint16_t
half(const unsigned char *p, unsigned char data)
{
	return data == ELFDATA2MSB ? (uint16_t)(p[0] << 8 | p[1])
				   : (uint16_t)(p[1] << 8 | p[0]);
}

/* Both headers begin alike: e_ident, e_type, e_machine. */
int
elf_arch(const unsigned char *head, size_t n, char name[ELF_ARCH_NAME])
{
	unsigned char class, data;
	uint16_t type, machine;

	if (n < sizeof(Elf32_Ehdr) || memcmp(head, ELFMAG, SELFMAG) != 0 ||
	    head[EI_VERSION] != EV_CURRENT)
		return -1;
	class = head[EI_CLASS];
	data = head[EI_DATA];
	if ((class != ELFCLASS32 && class != ELFCLASS64) ||
	    (data != ELFDATA2LSB && data != ELFDATA2MSB) ||
	    (class == ELFCLASS64 && n < sizeof(Elf64_Ehdr)))
		return -1;
	type = half(head + offsetof(Elf64_Ehdr, e_type), data);
	machine = half(head + offsetof(Elf64_Ehdr, e_machine), data);
	if (type != ET_EXEC && type != ET_DYN)
		return -1;
	snprintf(name, ELF_ARCH_NAME, "ELF machine %u", machine);
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].machine == machine &&
		    machines[i].class == class && machines[i].data == data)
			snprintf(name, ELF_ARCH_NAME, "%s", machines[i].name);
	return 0;
}
