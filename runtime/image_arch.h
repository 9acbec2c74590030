/* SPDX-License-Identifier: Apache-2.0
 * For which machine an image is: what its programs say. */
#ifndef RUNTIME_IMAGE_ARCH_H
#define RUNTIME_IMAGE_ARCH_H

#include <limits.h>

#include "runtime/elf_arch.h"

struct json_object;

struct image_arch {
	char name[ELF_ARCH_NAME]; /* as uname -m says it; "": cannot be told */
	char file[256];		  /* that said so, for people */
};

/*
 * Looks at the entry point of process (OCI runtime-spec, config.md) in the
 * directory rootfs; a script's interpreter speaks for it. When that is not
 * there or is no program: at the programs that images have. process is not
 * checked yet.
 */
void image_arch_find(
    const char *rootfs, struct json_object *process, struct image_arch *out);

/* The same of one file of the host. */
void image_arch_of_file(const char *path, struct image_arch *out);

#endif
