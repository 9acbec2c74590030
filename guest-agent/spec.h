/* SPDX-License-Identifier: Apache-2.0
 * The container and its processes as START and EXEC describe them
 * (doc/vm-spec.md): every member typed, bounded and checked. */
#ifndef GUEST_AGENT_SPEC_H
#define GUEST_AGENT_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "guest-agent/caps.h"
#include "guest-agent/mount_options.h"
#include "guest-agent/rlimits.h"
#include "lib/err.h"

struct json_object;

/* Strings are borrowed from the JSON object that was parsed; vectors end with
 * NULL. */
struct process_spec {
	bool terminal;
	const char **args;
	size_t n_args; /* at least one */
	const char **env;
	size_t n_env;
	const char *cwd; /* absolute */
	uid_t uid;
	gid_t gid;
	mode_t umask;
	gid_t *groups; /* additional ones */
	size_t n_groups;
	bool has_caps;
	struct cap_sets caps;
	struct rlimits rlimits;
	bool no_new_privs;
	bool has_oom_score_adj;
	int oom_score_adj;
};

struct mount_spec {
	const char *destination; /* absolute */
	enum mount_type type;
	const char *source; /* of a share: "modules" or "vol/N" */
	struct mount_options options;
};

#define DISK_NAME_SIZE 16

struct disk_spec {
	const char *id;
	const char *fstype;	/* NULL: unknown */
	const char *mountpoint; /* absolute; NULL: not to be mounted there */
	bool readonly, root;
	/* by disks_attach() */
	char name[DISK_NAME_SIZE]; /* "vda" */
	bool mounted;		   /* by the agent, for the container */
};

struct sysctl_spec {
	const char *name, *value;
};

struct dns_spec {
	const char **servers, **search, **options;
	size_t n_servers, n_search, n_options;
};

struct container_spec {
	struct json_object *json; /* what the strings belong to */
	struct json_object *dns_json;
	const char *hostname, *domainname; /* "": leave it */
	bool root_readonly;
	struct process_spec process;
	struct mount_spec *mounts;
	size_t n_mounts;
	struct disk_spec *disks;
	size_t n_disks;
	struct disk_spec *root_disk; /* NULL: the root is the image's */
	const char **root_exclude;   /* absolute paths, not to be copied */
	size_t n_root_exclude;
	struct sysctl_spec *sysctls;
	size_t n_sysctls;
	const char **masked, **readonly; /* absolute paths */
	size_t n_masked, n_readonly;
	struct json_object *seccomp; /* NULL: no filter */
	int64_t pids;		     /* 0: no limit */
	int64_t memory;		     /* bytes; 0: no limit */
	bool runqenv;
	bool systemd; /* is the entry point */
	bool ap;      /* the VM has AP devices */
	struct dns_spec dns;
};

/* *out is initialised by these calls and must be freed also after -1. dns may
 * be NULL. container_spec_parse keeps the objects; process_spec_parse borrows:
 * o must outlive *out. */
int container_spec_parse(struct json_object *container, struct json_object *dns,
    struct container_spec *out, struct err *err);
void container_spec_free(struct container_spec *c);

/* "disks" and "rootExclude" of container_spec_parse(). */
int disk_specs_parse(
    struct json_object *container, struct container_spec *c, struct err *err);

int process_spec_parse(
    struct json_object *o, struct process_spec *out, struct err *err);
void process_spec_free(struct process_spec *p);

#endif
