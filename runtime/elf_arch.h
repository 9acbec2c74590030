/* SPDX-License-Identifier: Apache-2.0
 * For which machine a program is: its ELF header. */
#ifndef RUNTIME_ELF_ARCH_H
#define RUNTIME_ELF_ARCH_H

#include <stddef.h>

#define ELF_ARCH_NAME 32

/*
 * Reads the first n bytes of a file, see elf(5). 0: name is what uname -m says
 * on a machine whose kernel runs it ("x86_64" also for programs of 32 bits), or
 * "ELF machine N". -1: not a program.
 */
int elf_arch(const unsigned char *head, size_t n, char name[ELF_ARCH_NAME]);

#endif
