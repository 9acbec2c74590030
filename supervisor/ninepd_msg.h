/* SPDX-License-Identifier: Apache-2.0
 * Messages between QEMU's file system driver "proxy" and its server, as QEMU
 * 7.2 has them (hw/9pfs/9p-proxy.h): integers of the host, strings with their
 * length in 16 bits before them. */
#ifndef SUPERVISOR_NINEPD_MSG_H
#define SUPERVISOR_NINEPD_MSG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NINEP_HEADER 8		/* type, length of what follows */
#define NINEP_PAYLOAD_MAX 65536 /* bytes, of a request and of a reply */
#define NINEP_STRING_MAX 65534	/* that fits into a reply */
/* In place of a negative error number: an fd comes with the message. */
#define NINEP_FD_VALID INT_MAX

enum ninep_type {
	NINEP_SUCCESS,
	NINEP_ERROR,
	NINEP_OPEN,
	NINEP_CREATE,
	NINEP_MKNOD,
	NINEP_MKDIR,
	NINEP_SYMLINK,
	NINEP_LINK,
	NINEP_LSTAT,
	NINEP_READLINK,
	NINEP_STATFS,
	NINEP_CHMOD,
	NINEP_CHOWN,
	NINEP_TRUNCATE,
	NINEP_UTIME,
	NINEP_RENAME,
	NINEP_REMOVE,
	NINEP_LGETXATTR,
	NINEP_LLISTXATTR,
	NINEP_LSETXATTR,
	NINEP_LREMOVEXATTR,
	NINEP_GETVERSION
};

/* A request being read: after the first value that is not there, bad. */
struct ninep_request {
	uint8_t *p;
	size_t left;
	bool bad;
};

uint32_t ninep_get_u32(struct ninep_request *r);
uint64_t ninep_get_u64(struct ninep_request *r);
/* Without a zero byte in it, but perhaps at its end; "" when bad. Lives in the
 * request's memory. */
const char *ninep_get_str(struct ninep_request *r);
/* Any bytes; length in *n. */
const void *ninep_get_bytes(struct ninep_request *r, size_t *n);
/* Nothing was missing, and nothing is left. */
bool ninep_get_end(const struct ninep_request *r);

/* A reply's payload; buf has NINEP_PAYLOAD_MAX bytes, which every reply fits
 * into. */
struct ninep_reply {
	uint8_t *buf;
	size_t len;
};

void ninep_put_u32(struct ninep_reply *r, uint32_t v);
void ninep_put_u64(struct ninep_reply *r, uint64_t v);
/* n <= NINEP_STRING_MAX */
void ninep_put_bytes(struct ninep_reply *r, const void *p, size_t n);

#endif
