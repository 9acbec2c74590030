/* SPDX-License-Identifier: Apache-2.0
 * From config.json to the VM spec and the config.json of the VM's container:
 * a function of its arguments, doc/vm-spec.md. */
#ifndef RUNTIME_DERIVE_H
#define RUNTIME_DERIVE_H

#include "lib/err.h"
#include "lib/vm_spec.h"

struct disks;
struct hostfacts;
struct json_object;
struct mounts;
struct settings;

struct derive_input {
	struct json_object *config; /* the engine's, parsed only */
	const char *id;		    /* of the container */
	const char *bundle;	    /* absolute path */
	struct settings *settings;  /* of the command line; the RUNQ_
				       variables are merged into it */
	struct mounts *mounts;	    /* from mounts_parse; resolved here */
	const struct disks *disks;  /* opened */
	const struct hostfacts *facts;
};

struct derived {
	struct vm_spec spec;
	struct json_object *outer;
};

/* -1: refused, or a config.json that breaks the OCI runtime-spec. *d is
 * initialised by this call; free it also after -1. */
int derive(const struct derive_input *in, struct derived *d, struct err *err);
void derived_free(struct derived *d);

#endif
