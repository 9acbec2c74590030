/* SPDX-License-Identifier: Apache-2.0
 * The VM spec: what runq derives from a bundle and the supervisor carries out.
 * It travels as JSON in a sealed memfd (fd 3 of the supervisor); every member
 * is typed and checked when it is read, on both sides. doc/vm-spec.md shows
 * the document. */
#ifndef LIB_VM_SPEC_H
#define LIB_VM_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

struct json_object;

#define VM_SPEC_VERSION 1
#define VM_TLS_PEM_MAX 65536 /* bytes of each PEM text */
#define VM_SPEC_FD 3
#define VM_EXEC_FD 4 /* the listener for runq-exec, when exec is on */
#define VM_DISK_FD 5 /* the first disk's file, opened; the others follow */

/* Ranges that the administrator's options and RUNQ_ variables are held to. */
#define VM_CPU_MIN 1
#define VM_CPU_MAX 255
#define VM_MEM_MIN 96 /* MiB; with less the guest kernel does not boot */
#define VM_MEM_MAX (1 << 20)
#define VM_BOOT_TIMEOUT_MIN 1 /* seconds */
#define VM_BOOT_TIMEOUT_MAX 3600

/*
 * What a VM needs beside the guest's memory, MiB: QEMU's code and heap, its
 * TCG buffer, virtiofsd, the supervisor. The container's memory limit must
 * leave room for it.
 */
#define VM_OVERHEAD_MIB 192

enum vm_accel {
	VM_ACCEL_AUTO,
	VM_ACCEL_KVM,
	VM_ACCEL_TCG
};
enum vm_rootfs {
	VM_ROOTFS_VIRTIOFS,
	VM_ROOTFS_9P
};

/* Each takes a PCI slot, of which interfaces want some, too. */
#define VM_DISKS_MAX 16
#define VM_DISK_ID_MAX 36

enum vm_disk_format {
	VM_DISK_RAW,
	VM_DISK_QCOW2
};

/* As QEMU's -drive cache=; qemu-system(1). */
enum vm_disk_cache {
	VM_DISK_WRITEBACK,
	VM_DISK_WRITETHROUGH,
	VM_DISK_NONE,
	VM_DISK_UNSAFE
};

/* Disk N is the open file VM_DISK_FD + N, and "disks[N]" of the container. */
struct vm_disk {
	char *id; /* [a-zA-Z0-9_-]{1,36}, unique */
	enum vm_disk_format format;
	enum vm_disk_cache cache;
	bool readonly;
};

/* What the listener for runq-exec shows and asks for: PEM texts. */
struct vm_tls {
	char *ca, *cert, *key;
};

/* A mediated device of the vfio_ap driver: cryptographic queues for an s390x
 * guest. Linux Documentation/s390/vfio-ap.rst */
struct vm_ap {
	char *uuid;	/* NULL: none; lower case */
	unsigned group; /* IOMMU group: /dev/vfio/GROUP */
};

struct vm_spec {
	char *id;   /* container id, [A-Za-z0-9_.+-]{1,1024} */
	char *arch; /* "x86_64" or "s390x" */
	enum vm_accel accel;
	unsigned cpus;
	unsigned mem_mib;
	char *cpuargs; /* NULL, or a checked QEMU -cpu string */
	bool nestedvm;
	unsigned boot_timeout; /* seconds */
	enum vm_rootfs rootfs;
	char *cache_9p;	   /* NULL: default */
	bool exec;	   /* runq-exec allowed: VM_EXEC_FD is open */
	struct vm_tls tls; /* with exec only; else NULLs */
	bool terminal;	   /* the supervisor's stdio is a terminal */
	char **warnings;   /* NULL-terminated lines for the user's stderr */
	struct vm_disk *disks;
	size_t n_disks;
	struct vm_ap ap;
	/* The agent's part, in OCI terms, and its DNS: passed on in START. */
	struct json_object *container;
	struct json_object *dns; /* NULL: leave the image's resolv.conf */
};

void vm_spec_init(struct vm_spec *spec);
void vm_spec_free(struct vm_spec *spec); /* frees what it points to */

/* Overwrites and frees the texts: when they were loaded. */
void vm_tls_wipe(struct vm_tls *tls);

/* JSON text of the spec, one line; the caller frees it. NULL: no memory. */
char *vm_spec_serialize(const struct vm_spec *spec, size_t *len);

/* The inverse; strict: unknown members, wrong types, ranges are errors.
 * *spec is initialised by this call and must be freed also after -1. */
int vm_spec_parse(
    const char *text, size_t len, struct vm_spec *spec, struct err *err);

const char *vm_accel_name(enum vm_accel a);
const char *vm_rootfs_name(enum vm_rootfs r);
/* -1 and an err that says what is allowed. */
int vm_accel_parse(const char *s, enum vm_accel *out, struct err *err);
int vm_rootfs_parse(const char *s, enum vm_rootfs *out, struct err *err);

/* 0 when s may stand in the spec; -1 and an err that says what is allowed. */
int vm_id_check(const char *s, struct err *err);
int vm_arch_check(const char *s, struct err *err);
int vm_9pcache_check(const char *s, struct err *err);

/* The mode that keeps no data (what the host changes is seen) but lets a file
 * be mapped shared and writable, which "none" refuses. */
#define VM_9PCACHE_DEFAULT "mmap"

const char *vm_disk_format_name(enum vm_disk_format f);
const char *vm_disk_cache_name(enum vm_disk_cache c);
int
vm_disk_format_parse(const char *s, enum vm_disk_format *out, struct err *err);
int
vm_disk_cache_parse(const char *s, enum vm_disk_cache *out, struct err *err);
int vm_disk_id_check(const char *s, struct err *err);
/* A file system that a disk may be mounted as. */
int vm_fstype_check(const char *s, struct err *err);

/* "disks" of the spec: absent without disks. */
int vm_disks_add(struct json_object *spec_o, const struct vm_spec *spec);
int vm_disks_parse(
    struct json_object *spec_o, struct vm_spec *spec, struct err *err);
void vm_disks_free(struct vm_spec *spec);

/* 8-4-4-4-12 hexadecimal digits, RFC 9562 section 4. */
int vm_apuuid_check(const char *s, struct err *err);

/* A QEMU -cpu string: model[,+feature|,-feature|,name=value]... */
int vm_cpuargs_check(const char *s, struct err *err);

#endif
