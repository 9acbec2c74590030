/* SPDX-License-Identifier: Apache-2.0
 * What a guest boots from: files of the assembled folder, by architecture and
 * by the way in which the image gets into the guest. image/arch.sh makes them.
 */
#ifndef LIB_GUEST_IMAGE_H
#define LIB_GUEST_IMAGE_H

#include "lib/vm_spec.h"

/* Paths below the assembled folder, which is the root of a VM's container. */
struct guest_image {
	const char *arch; /* as in the VM spec */
	enum vm_rootfs rootfs;
	const char *qemu; /* of the host's architecture, for this guest */
	const char *kernel, *initrd;
	const char *modules; /* the folder that is /lib/modules in the guest */
};

/* NULL: an architecture that is not known. */
const struct guest_image *
guest_image_find(const char *arch, enum vm_rootfs rootfs);

#endif
