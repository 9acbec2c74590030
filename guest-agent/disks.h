/* SPDX-License-Identifier: Apache-2.0
 * The disks of the container: found, mounted for the agent, then given to the
 * container, and at the end left in order. */
#ifndef GUEST_AGENT_DISKS_H
#define GUEST_AGENT_DISKS_H

#include "guest-agent/copytree.h"
#include "guest-agent/spec.h"
#include "lib/err.h"

/*
 * In the agent: waits until each disk is there, and mounts below PATH_DISKS
 * those that are to be mounted; fills a root disk. -1: err names the disk.
 * disks_release() undoes it, also after -1.
 */
int disks_attach(struct container_spec *c,
    const struct copytree_progress *progress, struct err *err);

/* When no process of the container is left, or none ever was: all data are on
 * the disks when it returns, and their file systems are clean. */
void disks_release(struct container_spec *c);

/* In the container's mount namespace, before it is entered: the mounts at
 * their places below root; and nodes and links in its /dev. */
int disks_mount(const struct container_spec *c, int root, struct err *err);
int disks_make_nodes(const struct container_spec *c, int root, struct err *err);

/* The directory where the agent has mounted disk n. */
#define PATH_DISKS "/disks"
#define DISKS_DIR_SIZE 32
void disks_dir(char *buf, size_t n);

#endif
