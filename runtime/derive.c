/* SPDX-License-Identifier: Apache-2.0
 * From config.json to the VM spec and the config.json of the VM's container. */
#include "runtime/derive.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/guest_image.h"
#include "lib/json.h"
#include "runtime/cpus.h"
#include "runtime/disks.h"
#include "runtime/env.h"
#include "runtime/guest.h"
#include "runtime/hostfacts.h"
#include "runtime/jbuild.h"
#include "runtime/memory.h"
#include "runtime/mounts.h"
#include "runtime/outer.h"
#include "runtime/refuse.h"
#include "runtime/settings.h"

static struct json_object *
list_json(const struct strlist *l)
{
	return jb_strv((const char *const *)l->v, l->n);
}

static struct json_object *
dns_json(const struct settings *s)
{
	struct json_object *o;

	if (s->dns_preserve || s->dns.n + s->dns_opts.n + s->dns_search.n == 0)
		return NULL;
	o = jb_obj();
	jb_set(o, "servers", list_json(&s->dns));
	jb_set(o, "options", list_json(&s->dns_opts));
	jb_set(o, "search", list_json(&s->dns_search));
	return o;
}

/* What the administrator says, else what the image's programs are for, else
 * the host's. NULL: there is no such guest. */
static const char *
guest_arch(const struct settings *s, const struct hostfacts *f, struct err *err)
{
	const char *arch = f->image.name;

	if (s->arch != NULL)
		return s->arch;
	if (arch[0] == '\0')
		return f->arch;
	if (vm_arch_check(arch, NULL) == 0)
		return arch;
	err_set(err,
	    "the image's %s is a program for %s; guests can be x86_64 or "
	    "s390x, installed here: %s",
	    f->image.file, arch, f->guests[0] != '\0' ? f->guests : "none");
	return NULL;
}

/* docker run --init, for example */
static int
check_entry(const struct hostfacts *f, const char *arch, struct err *err)
{
	if (f->entry.name[0] == '\0' || strcmp(f->entry.name, arch) == 0)
		return 0;
	return err_set(err,
	    "the entry point is the host's %s, a program for %s, and the guest "
	    "is %s (--init is for guests of the host's own architecture)",
	    f->entry.file, f->entry.name, arch);
}

static void
fill_spec(struct vm_spec *spec, const struct derive_input *in, unsigned mem,
    unsigned cpus)
{
	const struct settings *s = in->settings;
	bool foreign = strcmp(spec->arch, in->facts->arch) != 0;

	spec->id = xstrdup(in->id);
	spec->accel = s->accel;
	spec->cpus = cpus;
	spec->mem_mib = mem;
	/* the administrator's are for the host's CPUs */
	if (s->cpuargs != NULL && (!foreign || s->cpuargs_by_env))
		spec->cpuargs = xstrdup(s->cpuargs);
	spec->nestedvm = s->nestedvm;
	spec->boot_timeout = s->boot_timeout;
	/* virtiofs is spoken in the guest's byte order, which the host's
	 * virtiofsd does not know; 9p has an order of its own. The
	 * architectures of guests differ in it. */
	spec->rootfs = foreign ? VM_ROOTFS_9P : s->rootfs;
	spec->cache_9p = s->cache_9p != NULL ? xstrdup(s->cache_9p) : NULL;
	/* until listener_make() */
	spec->exec = false;
	spec->dns = dns_json(s);
	disks_spec(in->disks, spec);
	if (s->apuuid != NULL)
		spec->ap =
		    (struct vm_ap){xstrdup(s->apuuid), in->facts->ap.group};
}

/* A member of another type is complained about where it is used. */
static bool
is_root_readonly(struct json_object *config)
{
	struct json_object *root = NULL;
	bool readonly = false;

	(void)json_opt_obj(config, "config.json", "root", &root, NULL);
	if (root != NULL)
		(void)json_opt_bool(root, "root", "readonly", &readonly, NULL);
	return readonly;
}

/* The guest's terminal is the supervisor's, passed through. */
static bool
has_terminal(struct json_object *container)
{
	struct json_object *process, *v;

	return json_object_object_get_ex(container, "process", &process) &&
	    json_object_object_get_ex(process, "terminal", &v) &&
	    json_object_get_boolean(v);
}

static int
emulate(struct settings *s, const struct hostfacts *facts, const char *arch,
    struct strlist *warnings, struct err *err)
{
	if (s->accel == VM_ACCEL_KVM)
		return err_set(err,
		    "--accel kvm: a guest of %s is emulated on a host of %s; "
		    "allowed for it: auto or tcg",
		    arch, facts->arch);
	if (s->accel == VM_ACCEL_AUTO)
		strlist_take(warnings,
		    xasprintf("a guest of %s is emulated on this host, slowly",
			arch));
	s->accel = VM_ACCEL_TCG;
	return 0;
}

/* A later probe may find more; that it is not there is known now. */
static int
check_accel(struct settings *s, const struct hostfacts *facts, const char *arch,
    struct strlist *warnings, struct err *err)
{
	if (strcmp(arch, facts->arch) != 0)
		return emulate(s, facts, arch, warnings, err);
	if (s->accel == VM_ACCEL_KVM && !facts->kvm.present)
		return err_set(err,
		    "--accel kvm: this host has no /dev/kvm; allowed here: "
		    "auto or tcg");
	return 0;
}

static int
check_ap(
    const struct settings *s, const struct hostfacts *facts, struct err *err)
{
	if (s->apuuid == NULL)
		return 0;
	if (strcmp(facts->arch, "s390x") != 0)
		return err_set(err,
		    "RUNQ_APUUID: only s390x hosts have AP devices; this one "
		    "is %.32s",
		    facts->arch);
	if (s->accel == VM_ACCEL_TCG)
		return err_set(err,
		    "RUNQ_APUUID: AP devices need KVM, which --accel tcg "
		    "excludes");
	if (facts->ap.error != NULL)
		return err_set(err, "RUNQ_APUUID: %s", facts->ap.error);
	return 0;
}

static int
derive_into(const struct derive_input *in, struct derived *d,
    struct strlist *warnings, struct err *err)
{
	struct settings *s = in->settings;
	struct memory memory;
	struct cpus cpus;
	const char *arch;

	if (vm_id_check(in->id, err) == -1)
		return err_prefix(err, "container id");
	if (refuse_check(in->config, in->facts, err) == -1 ||
	    env_apply_config(in->config, s, warnings, err) == -1 ||
	    (arch = guest_arch(s, in->facts, err)) == NULL ||
	    check_entry(in->facts, arch, err) == -1 ||
	    check_accel(s, in->facts, arch, warnings, err) == -1 ||
	    check_ap(s, in->facts, err) == -1 ||
	    memory_derive(in->config, s, &memory, err) == -1 ||
	    cpus_derive(in->config, s, in->facts, &cpus, err) == -1 ||
	    disks_check(in->disks, s, is_root_readonly(in->config), err) ==
		-1 ||
	    mounts_resolve(in->mounts, in->facts, err) == -1 ||
	    mounts_add_tmpfs(in->mounts, &s->tmpfs, err) == -1)
		return -1;
	d->spec.arch = xstrdup(arch);
	fill_spec(&d->spec, in, memory.guest_mib, cpus.n);
	d->spec.container = guest_container(
	    in->config, s, in->facts, in->mounts, warnings, err);
	if (d->spec.container == NULL)
		return -1;
	if (memory.group_limit > 0)
		jb_int(d->spec.container, "memory", memory.group_limit);
	disks_guest(in->disks, s, d->spec.container);
	if (d->spec.ap.uuid != NULL)
		jb_bool(d->spec.container, "ap", true);
	d->spec.terminal = has_terminal(d->spec.container);
	d->outer = outer_config(in->config, in->bundle, s,
	    guest_image_find(d->spec.arch, d->spec.rootfs), in->facts,
	    in->mounts, &memory, err);
	return d->outer == NULL ? -1 : 0;
}

int
derive(const struct derive_input *in, struct derived *d, struct err *err)
{
	struct strlist warnings = {0};
	int r;

	*d = (struct derived){0};
	vm_spec_init(&d->spec);
	r = derive_into(in, d, &warnings, err);
	d->spec.warnings = warnings.v;
	return r;
}

void
derived_free(struct derived *d)
{
	vm_spec_free(&d->spec);
	json_object_put(d->outer);
	d->outer = NULL;
}
