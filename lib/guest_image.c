/* SPDX-License-Identifier: Apache-2.0
 * What a guest boots from, as a table. */
#include "lib/guest_image.h"

#include <string.h>

#define MODULES(name) "/modules/" name "/lib/modules"

static const struct guest_image images[] = {
    {"x86_64", VM_ROOTFS_VIRTIOFS, "/usr/bin/qemu-system-x86_64",
	"/boot/vmlinux-x86_64", "/boot/initrd-x86_64", MODULES("x86_64")},
    {"x86_64", VM_ROOTFS_9P, "/usr/bin/qemu-system-x86_64",
	"/boot/vmlinux-x86_64-9p", "/boot/initrd-x86_64-9p",
	MODULES("x86_64-9p")},
    {"s390x", VM_ROOTFS_VIRTIOFS, "/usr/bin/qemu-system-s390x",
	"/boot/kernel-s390x", "/boot/initrd-s390x", MODULES("s390x")},
    {"s390x", VM_ROOTFS_9P, "/usr/bin/qemu-system-s390x", "/boot/kernel-s390x",
	"/boot/initrd-s390x", MODULES("s390x")},
};

const struct guest_image *
guest_image_find(const char *arch, enum vm_rootfs rootfs)
{
	for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++)
		if (images[i].rootfs == rootfs &&
		    strcmp(images[i].arch, arch) == 0)
			return &images[i];
	return NULL;
}
