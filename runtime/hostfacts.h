/* SPDX-License-Identifier: Apache-2.0
 * What derivation needs to know of the host, gathered before it: so that
 * derivation itself looks at nothing but its arguments. */
#ifndef RUNTIME_HOSTFACTS_H
#define RUNTIME_HOSTFACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/vm_spec.h"
#include "runtime/image_arch.h"
#include "runtime/limits.h"
#include "runtime/vfio_ap.h"

struct json_object;
struct mounts;
struct settings;

enum path_kind {
	PATH_KIND_MISSING,
	PATH_KIND_DIR,
	PATH_KIND_FILE,
	PATH_KIND_SOCKET,
	PATH_KIND_FIFO,
	PATH_KIND_DEVICE,
};

struct path_fact {
	char *path;
	enum path_kind kind;
	int error;	     /* errno, of a missing one */
	bool tmpfs;	     /* lies on a tmpfs ... */
	uint64_t tmpfs_size; /* ... of so many bytes; 0: without a limit */
};

struct hostfacts {
	char arch[65];	   /* utsname.machine: "x86_64" */
	char hostname[65]; /* utsname.nodename */
	struct device_fact kvm, vhost_net, vhost_vsock;
	struct vfio_ap ap;	 /* of RUNQ_APUUID */
	int macvtap_major;	 /* -1: the host has no macvtap */
	bool netns_is_hosts;	 /* the path of the bundle's network namespace
				    is this process's own namespace, or init's */
	unsigned cpus;		 /* online; 0: unknown */
	bool image_certs;	 /* the image folder has certificates in it */
	struct limits limits;	 /* of this process */
	struct image_arch image; /* what the image's programs are for */
	struct image_arch entry; /* the entry point, if a bind mount is it */
	char guests[64];	 /* installed, for people: "x86_64, s390x" */
	struct path_fact *paths; /* sources of the bind mounts */
	size_t n_paths;
};

/* Looks at the sources of bind mounts, the network namespace of config, the
 * image in the bundle (absolute), and the image folder. */
void hostfacts_collect(struct hostfacts *f, struct json_object *config,
    const char *bundle, const struct mounts *mounts, const struct settings *s);
void hostfacts_free(struct hostfacts *f);

/* The major number of a character device driver in /proc/devices, see
 * proc(5); -1: it is not there. */
int hostfacts_char_major(const char *driver);

/* The fact cpus alone. */
void hostfacts_count_cpus(struct hostfacts *f);

/* The fact about a path that was collected; NULL: none. */
const struct path_fact *
hostfacts_path(const struct hostfacts *f, const char *path);

/* The fact guests alone. */
void hostfacts_find_guests(struct hostfacts *f, const struct settings *s);

/* The image folder holds what a guest of that architecture boots from. */
int hostfacts_check_image(const char *image_dir, const char *arch,
    enum vm_rootfs rootfs, struct err *err);

#endif
