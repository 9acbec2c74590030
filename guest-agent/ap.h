/* SPDX-License-Identifier: Apache-2.0
 * The AP devices of an IBM Z machine (cryptographic queues) in the guest. */
#ifndef GUEST_AGENT_AP_H
#define GUEST_AGENT_AP_H

#include "lib/err.h"

struct container_spec;

/* When the container has AP devices: loads their driver, and makes the node in
 * root's /dev by which programs (libica, openCryptoki) reach it. */
int ap_make(const struct container_spec *c, int root, struct err *err);

/* The number of a device of class misc, from the tree sysfs (/sys). */
int ap_misc_device(const char *sysfs, const char *name, unsigned *major,
    unsigned *minor, struct err *err);

#endif
