/* SPDX-License-Identifier: Apache-2.0
 * What the administrator's options and a container's RUNQ_ variables set. */
#include "runtime/settings.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "runtime/value.h"
#include "runtime/xalloc.h"

#define DEFAULT_CPU 1
#define DEFAULT_MEM 256	 /* MiB */
#define DEFAULT_BOOT 120 /* seconds */

struct setting {
	const char *option; /* NULL: a variable only */
	const char *var;    /* NULL: an option only */
	bool flag;
	int (*set)(struct settings *, const char *, struct err *);
	size_t list; /* offset of the list it fills, or 0 */
};

static void
replace(char **dst, const char *value)
{
	free(*dst);
	*dst = xstrdup(value);
}

static int
set_cpu(struct settings *s, const char *v, struct err *err)
{
	return value_uint(v, VM_CPU_MIN, VM_CPU_MAX, &s->cpu, err);
}

static int
set_mem(struct settings *s, const char *v, struct err *err)
{
	if (value_uint(v, VM_MEM_MIN, VM_MEM_MAX, &s->mem, err) == -1) {
		/* the number alone would leave the unit open */
		return err_set(err,
		    "\"%.64s\", must be a whole number of MiB from %d to %d", v,
		    VM_MEM_MIN, VM_MEM_MAX);
	}
	return 0;
}

static int
set_boot_timeout(struct settings *s, const char *v, struct err *err)
{
	return value_uint(
	    v, VM_BOOT_TIMEOUT_MIN, VM_BOOT_TIMEOUT_MAX, &s->boot_timeout, err);
}

static int
set_cpuargs(struct settings *s, const char *v, struct err *err)
{
	if (vm_cpuargs_check(v, err) == -1)
		return -1;
	replace(&s->cpuargs, v);
	return 0;
}

static int
set_9pcache(struct settings *s, const char *v, struct err *err)
{
	if (vm_9pcache_check(v, err) == -1)
		return -1;
	replace(&s->cache_9p, v);
	return 0;
}

static int
set_arch(struct settings *s, const char *v, struct err *err)
{
	free(s->arch);
	s->arch = NULL;
	if (strcmp(v, "auto") == 0)
		return 0;
	if (vm_arch_check(v, err) == -1)
		return err_set(
		    err, "\"%.64s\", must be auto, x86_64 or s390x", v);
	s->arch = xstrdup(v);
	return 0;
}

static int
set_accel(struct settings *s, const char *v, struct err *err)
{
	return vm_accel_parse(v, &s->accel, err);
}

static int
set_rootfs(struct settings *s, const char *v, struct err *err)
{
	return vm_rootfs_parse(v, &s->rootfs, err);
}

static int
set_dns(struct settings *s, const char *v, struct err *err)
{
	return value_list(&s->dns, v, value_is_server,
	    "IPv4 or IPv6 addresses, or names of containers", err);
}

/* Words as in resolv.conf(5), or a list as of servers. */
static int
set_words(struct strlist *l, const char *v, bool (*check)(const char *item),
    const char *allowed, struct err *err)
{
	AUTO_FREE char *list = xstrdup(v);

	for (char *p = list; *p != '\0'; p++)
		if (*p == ' ' || *p == '\t')
			*p = ',';
	return value_list(l, list, check, allowed, err);
}

static int
set_dns_opts(struct settings *s, const char *v, struct err *err)
{
	return set_words(&s->dns_opts, v, value_is_resolv_option,
	    "resolv.conf options (letters, digits, \"_:.-\")", err);
}

static int
set_dns_search(struct settings *s, const char *v, struct err *err)
{
	return set_words(&s->dns_search, v, value_is_domain,
	    "domain names (letters, digits, \"_.-\")", err);
}

static int
set_dns_preserve(struct settings *s, const char *v, struct err *err)
{
	return value_bool(v, &s->dns_preserve, err);
}

/* All signals reach the container's process; this was once an option. */
static int
set_sigusr(struct settings *s, const char *v, struct err *err)
{
	bool ignored;

	(void)s;
	return value_bool(v, &ignored, err);
}

static int
set_tmpfs(struct settings *s, const char *v, struct err *err)
{
	return value_list(
	    &s->tmpfs, v, value_is_absolute, "absolute paths", err);
}

static int
set_noexec(struct settings *s, const char *v, struct err *err)
{
	return value_bool(v, &s->noexec, err);
}

static int
set_noexec_all(struct settings *s, const char *v, struct err *err)
{
	return value_bool(v, &s->noexec_all, err);
}

static int
set_runqenv(struct settings *s, const char *v, struct err *err)
{
	return value_bool(v, &s->runqenv, err);
}

static int
set_nestedvm(struct settings *s, const char *v, struct err *err)
{
	return value_bool(v, &s->nestedvm, err);
}

static int
set_runc(struct settings *s, const char *v, struct err *err)
{
	if (v[0] == '\0')
		return err_set(
		    err, "empty, must be an OCI runtime's path or name");
	replace(&s->runc, v);
	return 0;
}

static int
set_image_dir(struct settings *s, const char *v, struct err *err)
{
	if (!value_is_absolute(v))
		return err_set(err, "\"%.64s\", must be an absolute path", v);
	replace(&s->image_dir, v);
	return 0;
}

static int
set_systemd(struct settings *s, const char *v, struct err *err)
{
	return value_bool(v, &s->systemd, err);
}

static int
set_rootdisk(struct settings *s, const char *v, struct err *err)
{
	if (vm_disk_id_check(v, err) == -1)
		return err_prefix(err, "id of a disk");
	replace(&s->rootdisk, v);
	return 0;
}

static int
set_rootdisk_exclude(struct settings *s, const char *v, struct err *err)
{
	return value_list(
	    &s->rootdisk_exclude, v, value_is_absolute, "absolute paths", err);
}

static int
set_apuuid(struct settings *s, const char *v, struct err *err)
{
	if (vm_apuuid_check(v, err) == -1)
		return -1;
	replace(&s->apuuid, v);
	for (char *c = s->apuuid; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return 0;
}

#define LIST(member) offsetof(struct settings, member)

static const struct setting table[] = {
    {"9pcache", "RUNQ_9PCACHE", false, set_9pcache, 0},
    {"accel", NULL, false, set_accel, 0},
    {"arch", NULL, false, set_arch, 0},
    {"boot-timeout", NULL, false, set_boot_timeout, 0},
    {"cpu", "RUNQ_CPU", false, set_cpu, 0},
    {"cpuargs", "RUNQ_CPUARGS", false, set_cpuargs, 0},
    {"dns", "RUNQ_DNS", false, set_dns, LIST(dns)},
    {"dns-opts", "RUNQ_DNS_OPTS", false, set_dns_opts, LIST(dns_opts)},
    {NULL, "RUNQ_DNS_OPT", false, set_dns_opts, LIST(dns_opts)},
    {"dns-preserve", "RUNQ_DNS_PRESERVE", true, set_dns_preserve, 0},
    {"dns-search", "RUNQ_DNS_SEARCH", false, set_dns_search, LIST(dns_search)},
    {"image-dir", NULL, false, set_image_dir, 0},
    {"mem", "RUNQ_MEM", false, set_mem, 0},
    {"nestedvm", NULL, true, set_nestedvm, 0},
    {"noexec", "RUNQ_NOEXEC", true, set_noexec, 0},
    {"noexec-all", NULL, true, set_noexec_all, 0},
    {"rootfs", NULL, false, set_rootfs, 0},
    {"runc", NULL, false, set_runc, 0},
    {"runqenv", "RUNQ_RUNQENV", true, set_runqenv, 0},
    {"sigusr", NULL, true, set_sigusr, 0},
    {"tmpfs", NULL, false, set_tmpfs, LIST(tmpfs)},
    {NULL, "RUNQ_APUUID", false, set_apuuid, 0},
    {NULL, "RUNQ_ROOTDISK", false, set_rootdisk, 0},
    {NULL, "RUNQ_ROOTDISK_EXCLUDE", false, set_rootdisk_exclude,
	LIST(rootdisk_exclude)},
    {NULL, "RUNQ_SYSTEMD", true, set_systemd, 0},
};

static bool
same(const char *name, const char *s, size_t len)
{
	return name != NULL && strlen(name) == len && memcmp(name, s, len) == 0;
}

const struct setting *
setting_by_option(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (same(table[i].option, name, len))
			return &table[i];
	return NULL;
}

const struct setting *
setting_by_var(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (same(table[i].var, name, len))
			return &table[i];
	return NULL;
}

bool
setting_is_flag(const struct setting *t)
{
	return t->flag;
}

int
setting_set(const struct setting *t, struct settings *s, const char *value,
    struct err *err)
{
	return t->set(s, value, err);
}

int
setting_set_env(const struct setting *t, struct settings *s, const char *value,
    struct err *err)
{
	/* an image may set them to nothing */
	if (value[0] == '\0' &&
	    (t->flag || t->set == set_cpu || t->set == set_mem))
		return 0;
	if (t->list != 0)
		strlist_free((struct strlist *)((char *)s + t->list));
	/* a container that asks for its own DNS gets it */
	if (t->set == set_dns || t->set == set_dns_opts ||
	    t->set == set_dns_search)
		s->dns_preserve = false;
	if (t->set == set_mem)
		s->mem_by_env = true;
	if (t->set == set_cpu)
		s->cpu_by_env = true;
	if (t->set == set_cpuargs)
		s->cpuargs_by_env = true;
	return t->set(s, value, err);
}

void
settings_init(struct settings *s)
{
	*s = (struct settings){
	    .cpu = DEFAULT_CPU,
	    .mem = DEFAULT_MEM,
	    .boot_timeout = DEFAULT_BOOT,
	    .accel = VM_ACCEL_AUTO,
	    .rootfs = VM_ROOTFS_VIRTIOFS,
	    .runc = xstrdup("runc"),
	    .image_dir = xstrdup(PATH_IMAGE_DIR),
	};
}

void
settings_free(struct settings *s)
{
	free(s->arch);
	free(s->cpuargs);
	free(s->cache_9p);
	free(s->runc);
	free(s->image_dir);
	free(s->rootdisk);
	free(s->apuuid);
	strlist_free(&s->dns);
	strlist_free(&s->dns_opts);
	strlist_free(&s->dns_search);
	strlist_free(&s->tmpfs);
	strlist_free(&s->rootdisk_exclude);
	*s = (struct settings){0};
}
