/* SPDX-License-Identifier: Apache-2.0
 * A mediated device of the host's vfio_ap driver: cryptographic queues of an
 * IBM Z machine for one guest (Linux Documentation/s390/vfio-ap.rst). */
#ifndef RUNTIME_VFIO_AP_H
#define RUNTIME_VFIO_AP_H

#include <stdbool.h>

#include "lib/err.h"

struct json_object;

struct device_fact {
	bool present;
	unsigned major, minor;
};

/* What the host says about the device that a container asks for. */
struct vfio_ap {
	unsigned group;			    /* its IOMMU group */
	struct device_fact vfio, group_dev; /* /dev/vfio/vfio, .../GROUP */
	char *error;			    /* NULL, or why it cannot be used */
};

/* The device with this UUID, looked up in the trees of sysfs (/sys) and dev
 * (/dev): -1 and why it cannot be used. out->error is left alone. */
int vfio_ap_look(const char *sysfs, const char *dev, const char *uuid,
    struct vfio_ap *out, struct err *err);

/* Looks at the device of RUNQ_APUUID in config, if there is one; config is not
 * checked yet. */
void vfio_ap_collect(struct vfio_ap *ap, struct json_object *config);

#endif
