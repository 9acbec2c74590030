/* SPDX-License-Identifier: Apache-2.0
 * What QEMU asks of the file systems, one request at a time. */
#ifndef SUPERVISOR_NINEPD_OPS_H
#define SUPERVISOR_NINEPD_OPS_H

#include "supervisor/ninepd_inode.h"
#include "supervisor/ninepd_msg.h"

/*
 * root: the exported directory. proc: /proc/self/fd, which is also the working
 * directory: what has no system call for a descriptor (chmod, extended
 * attributes) goes through it. None is owned.
 */
struct ninep {
	int root, proc;
	dev_t dev; /* the one file system that QEMU shall see */
	struct ninep_inodes inodes;
};

/* How a request is answered. */
enum ninep_answer {
	NINEP_ANSWER_STATUS, /* 0 or an error */
	NINEP_ANSWER_DATA,   /* a payload, or an error */
	NINEP_ANSWER_FD	     /* a descriptor, or an error */
};

/*
 * Carries a request out; *how says what it is to be answered with. Returns an
 * error as a negative number, or 0 with the payload in reply, or the
 * descriptor, which is the caller's. A type that is not known is -EOPNOTSUPP.
 */
int ninep_do(struct ninep *n, uint32_t type, struct ninep_request *req,
    struct ninep_reply *reply, enum ninep_answer *how);

#endif
