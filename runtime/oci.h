/* SPDX-License-Identifier: Apache-2.0
 * Names of the OCI runtime-spec that runq knows: checked in config.json,
 * listed by "runq features". */
#ifndef RUNTIME_OCI_H
#define RUNTIME_OCI_H

#include <stdbool.h>

/* NULL-terminated lists. */
extern const char *const oci_capabilities[]; /* capabilities(7) */
extern const char *const oci_namespaces[];   /* config-linux.md */
extern const char *const oci_hooks[];	     /* config.md, those we keep */
extern const char *const oci_seccomp_actions[];
extern const char *const oci_seccomp_operators[];
extern const char *const oci_seccomp_archs[];

bool oci_known(const char *const *list, const char *name);

/* Where an option of a bind mount takes effect: config.md, "Linux mount
 * options". */
enum oci_option_place {
	OCI_OPTION_UNKNOWN,
	OCI_OPTION_BOTH,  /* host and guest */
	OCI_OPTION_GUEST, /* of a file system of the guest only */
	OCI_OPTION_HOST,  /* how the host mounts it into the container */
	OCI_OPTION_REFUSED,
};

struct oci_option {
	const char *name;
	enum oci_option_place place;
	const char *host;  /* spelling for the host, NULL: the name */
	const char *guest; /* spelling for the guest, NULL: the name */
};

extern const struct oci_option oci_mount_options[]; /* ends with name NULL */

const struct oci_option *oci_mount_option(const char *name);

#endif
