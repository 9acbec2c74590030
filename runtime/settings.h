/* SPDX-License-Identifier: Apache-2.0
 * What the administrator's options and a container's RUNQ_ variables set: one
 * table of names, each value parsed into a type and held to a range. */
#ifndef RUNTIME_SETTINGS_H
#define RUNTIME_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "lib/vm_spec.h"
#include "runtime/strlist.h"

struct settings {
	unsigned cpu;
	bool cpu_by_env;       /* RUNQ_CPU was given */
	unsigned mem;	       /* MiB */
	bool mem_by_env;       /* RUNQ_MEM was given */
	unsigned boot_timeout; /* seconds */
	char *arch;	       /* of the guest; NULL: the image's */
	enum vm_accel accel;
	enum vm_rootfs rootfs;
	char *cpuargs; /* NULL: default */
	bool cpuargs_by_env;
	char *cache_9p; /* NULL: default */
	struct strlist dns, dns_opts, dns_search;
	bool dns_preserve;
	struct strlist tmpfs; /* absolute paths */
	bool noexec;	      /* no runq-exec */
	bool noexec_all;      /* nor the command exec */
	bool runqenv;
	bool nestedvm;
	char *runc;	 /* name or path of the delegate */
	char *image_dir; /* absolute */
	/* variables only */
	bool systemd;
	char *rootdisk; /* NULL: none */
	struct strlist rootdisk_exclude;
	char *apuuid; /* NULL: none */
};

void settings_init(struct settings *s);
void settings_free(struct settings *s);

struct setting;

/* The setting behind the option of that name (len bytes, no dashes), or the
 * variable; NULL: not ours. */
const struct setting *setting_by_option(const char *name, size_t len);
const struct setting *setting_by_var(const char *name, size_t len);

/* A flag's option stands alone or is --flag=true, --flag=false. */
bool setting_is_flag(const struct setting *t);

/* Option: lists grow with each use. The err names neither option nor value's
 * origin: the caller prefixes it. */
int setting_set(const struct setting *t, struct settings *s, const char *value,
    struct err *err);

/* Variable: a list replaces what the options said. */
int setting_set_env(const struct setting *t, struct settings *s,
    const char *value, struct err *err);

#endif
