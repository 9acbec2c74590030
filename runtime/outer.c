/* SPDX-License-Identifier: Apache-2.0
 * The config.json of the VM's container, which the delegate runs. */
#include "runtime/outer.h"

#include <string.h>

#include "config.h"
#include "lib/cleanup.h"
#include "lib/guest_image.h"
#include "lib/json.h"
#include "lib/paths.h"
#include "lib/vm_spec.h"
#include "runtime/bundle.h"
#include "runtime/hostfacts.h"
#include "runtime/jbuild.h"
#include "runtime/memory.h"
#include "runtime/mounts.h"
#include "runtime/oci.h"
#include "runtime/path.h"
#include "runtime/settings.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define AP_MEMLOCK (8 << 20)

/* virtiofsd acts as the owner of each file, makes device nodes and enters its
 * sandbox; the supervisor makes macvtaps and QEMU's confinement, and listens at
 * port 53. */
static const char *const capabilities[] = {"CAP_CHOWN", "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
    "CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID",
    "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_ADMIN", "CAP_SYS_CHROOT"};

static const char *const masked_paths[] = {"/proc/acpi", "/proc/asound",
    "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/scsi",
    "/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats",
    "/sys/firmware"};

static const char *const readonly_paths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

/* The container's own file systems; options as config-linux.md has them. */
static const struct fixed_mount {
	const char *destination, *type, *source;
	const char *options[7];
} fixed_mounts[] = {
    {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
    {"/dev", "tmpfs", "tmpfs",
	{"nosuid", "strictatime", "mode=755", "size=65536k"}},
    {"/dev/pts", "devpts", "devpts",
	{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620",
	    "gid=5"}},
    {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
    {PATH_RUN, "tmpfs", "tmpfs", {"nosuid", "nodev", "noexec", "mode=0700"}},
    /* mount points only: directories and empty files */
    {PATH_SHARE, "tmpfs", "tmpfs",
	{"nosuid", "nodev", "noexec", "mode=755", "size=1024k"}},
};

/* Character devices that every container has; config-linux.md, "Default
 * Devices". -1: any minor number. */
static const struct {
	int major, minor;
} default_devices[] = {
    {1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}, {136, -1}};

static struct json_object *
mount_json(const char *destination, const char *type, const char *source,
    const char *const *options, size_t n)
{
	struct json_object *o = jb_obj();

	jb_str(o, "destination", destination);
	jb_str(o, "type", type);
	jb_str(o, "source", source);
	jb_set(o, "options", jb_strv(options, n));
	return o;
}

static void
add_mounts(struct json_object *out, const char *rootfs, bool readonly,
    const struct settings *s, const struct guest_image *image,
    const struct mounts *mounts)
{
	static const char *const bind[] = {"bind", "rprivate", "ro"};
	AUTO_FREE char *modules =
	    xasprintf("%s%s", s->image_dir, image->modules);
	struct json_object *a = jb_set(out, "mounts", jb_arr());

	for (size_t i = 0; i < COUNT(fixed_mounts); i++) {
		const struct fixed_mount *m = &fixed_mounts[i];
		size_t n = 0;

		while (m->options[n] != NULL)
			n++;
		jb_push(a,
		    mount_json(
			m->destination, m->type, m->source, m->options, n));
	}
	jb_push(a,
	    mount_json(PATH_SHARE "/" SHARE_ROOTFS, "bind", rootfs, bind,
		readonly ? 3 : 2));
	jb_push(a,
	    mount_json(PATH_SHARE "/" SHARE_MODULES, "bind", modules, bind, 3));
	mounts_outer(mounts, a);
}

static struct json_object *
copy_capabilities(void)
{
	static const char *const sets[] = {
	    "bounding", "effective", "permitted"};
	struct json_object *o = jb_obj();

	for (size_t i = 0; i < COUNT(sets); i++)
		jb_set(o, sets[i], jb_strv(capabilities, COUNT(capabilities)));
	return o;
}

/* The host's vfio_ap driver pins a page per queue that has interrupts on, on
 * QEMU's account (kernel drivers/s390/crypto/vfio_ap_ops.c). */
static void
add_memlock(struct json_object *process)
{
	struct json_object *list = jb_set(process, "rlimits", jb_arr()),
			   *o = jb_obj();

	jb_str(o, "type", "RLIMIT_MEMLOCK");
	jb_int(o, "hard", AP_MEMLOCK);
	jb_int(o, "soft", AP_MEMLOCK);
	jb_push(list, o);
}

static void
add_process(struct json_object *out, struct json_object *process,
    const struct settings *s)
{
	static const char *const keep[] = {
	    "terminal", "consoleSize", "oomScoreAdj"};
	static const char *const args[] = {PATH_SUPERVISOR};
	static const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:"
					  "/bin"};
	struct json_object *o = jb_set(out, "process", jb_obj()), *user, *v;

	for (size_t i = 0; i < COUNT(keep); i++)
		if (json_object_object_get_ex(process, keep[i], &v))
			jb_share(o, keep[i], v);
	user = jb_set(o, "user", jb_obj());
	jb_int(user, "uid", 0);
	jb_int(user, "gid", 0);
	jb_set(o, "args", jb_strv(args, COUNT(args)));
	jb_set(o, "env", jb_strv(env, COUNT(env)));
	jb_str(o, "cwd", "/");
	jb_set(o, "capabilities", copy_capabilities());
	jb_bool(o, "noNewPrivileges", true);
	if (s->apuuid != NULL)
		add_memlock(o);
}

static void
add_rule(struct json_object *rules, bool allow, const char *type, int major,
    int minor)
{
	struct json_object *r = jb_obj();

	jb_bool(r, "allow", allow);
	if (type != NULL)
		jb_str(r, "type", type);
	if (major >= 0)
		jb_int(r, "major", major);
	if (minor >= 0)
		jb_int(r, "minor", minor);
	jb_str(r, "access", "rwm");
	jb_push(rules, r);
}

static void
add_device(struct json_object *list, struct json_object *rules,
    const char *path, const struct device_fact *d, int mode, int uid, int gid)
{
	struct json_object *o;

	if (!d->present)
		return;
	o = jb_obj();
	jb_str(o, "path", path);
	jb_str(o, "type", "c");
	jb_int(o, "major", d->major);
	jb_int(o, "minor", d->minor);
	jb_int(o, "fileMode", mode);
	jb_int(o, "uid", uid);
	jb_int(o, "gid", gid);
	jb_push(list, o);
	add_rule(rules, true, "c", (int)d->major, (int)d->minor);
}

static void
add_ap(struct json_object *list, struct json_object *rules,
    const struct vfio_ap *ap)
{
	AUTO_FREE char *group = xasprintf("/dev/vfio/%u", ap->group);

	add_device(
	    list, rules, "/dev/vfio/vfio", &ap->vfio, 0600, QEMU_UID, QEMU_GID);
	add_device(
	    list, rules, group, &ap->group_dev, 0600, QEMU_UID, QEMU_GID);
}

/* The devices of the VM's container, and the rules that allow them alone. */
static void
add_devices(struct json_object *linux_o, struct json_object *resources,
    const struct settings *s, const struct hostfacts *facts)
{
	struct json_object *list = jb_set(linux_o, "devices", jb_arr());
	struct json_object *rules = jb_set(resources, "devices", jb_arr());

	add_rule(rules, false, NULL, -1, -1);
	for (size_t i = 0; i < COUNT(default_devices); i++)
		add_rule(rules, true, "c", default_devices[i].major,
		    default_devices[i].minor);
	/* QEMU opens it, as a user of its own */
	if (s->accel != VM_ACCEL_TCG)
		add_device(
		    list, rules, "/dev/kvm", &facts->kvm, 0660, 0, QEMU_GID);
	add_device(
	    list, rules, "/dev/vhost-net", &facts->vhost_net, 0600, 0, 0);
	add_device(
	    list, rules, "/dev/vhost-vsock", &facts->vhost_vsock, 0600, 0, 0);
	if (s->apuuid != NULL)
		add_ap(list, rules, &facts->ap);
	if (facts->macvtap_major >= 0)
		add_rule(rules, true, "c", facts->macvtap_major, -1);
}

static int
add_linux(struct json_object *out, struct json_object *linux_o,
    const struct settings *s, const struct hostfacts *facts,
    const struct memory *memory, struct err *err)
{
	static const char *const keep[] = {
	    "namespaces", "cgroupsPath", "intelRdt"};
	struct json_object *o = jb_set(out, "linux", jb_obj());
	struct json_object *from = NULL, *resources = NULL, *masked, *v;

	for (size_t i = 0; i < COUNT(keep); i++)
		if (json_object_object_get_ex(linux_o, keep[i], &v))
			jb_share(o, keep[i], v);
	if (json_opt_obj(linux_o, "linux", "resources", &from, err) == -1)
		return -1;
	if (from == NULL)
		resources = jb_obj();
	else if (json_object_deep_copy(from, &resources, NULL) == -1)
		xcheck(NULL);
	jb_set(o, "resources", resources);
	/* the guest's kernel counts the container's processes */
	json_object_object_del(resources, "pids");
	memory_raise(memory, resources);
	add_devices(o, resources, s, facts);
	masked = jb_strv(masked_paths, COUNT(masked_paths));
	/* the key is for the supervisor's memory only */
	if (facts->image_certs)
		jb_push(masked, json_object_new_string("/certs"));
	jb_set(o, "maskedPaths", masked);
	jb_set(
	    o, "readonlyPaths", jb_strv(readonly_paths, COUNT(readonly_paths)));
	return 0;
}

static int
add_hooks(struct json_object *out, struct json_object *config, struct err *err)
{
	struct json_object *from = NULL, *to, *v;

	if (json_opt_obj(config, "config.json", "hooks", &from, err) == -1)
		return -1;
	if (from == NULL)
		return 0;
	to = jb_set(out, "hooks", jb_obj());
	for (const char *const *h = oci_hooks; *h != NULL; h++)
		if (json_object_object_get_ex(from, *h, &v))
			jb_share(to, *h, v);
	return 0;
}

static int
add_annotations(
    struct json_object *out, struct json_object *config, struct err *err)
{
	struct json_object *from = NULL,
			   *to = jb_set(out, "annotations", jb_obj());

	if (json_opt_obj(config, "config.json", "annotations", &from, err) ==
	    -1)
		return -1;
	if (from != NULL) {
		json_object_object_foreach (from, key, val) {
			jb_share(to, key, val);
		}
	}
	jb_str(to, BUNDLE_ANNOTATION, PACKAGE_VERSION);
	return 0;
}

static int
fill(struct json_object *out, struct json_object *config, const char *bundle,
    const struct settings *s, const struct guest_image *image,
    const struct hostfacts *facts, const struct mounts *mounts,
    const struct memory *memory, struct err *err)
{
	struct json_object *root, *process, *linux_o, *o, *v;
	AUTO_FREE char *rootfs = NULL;
	bool readonly = false;
	const char *path;

	if (json_need_obj(config, "config.json", "root", &root, err) == -1 ||
	    json_need_str(root, "root", "path", &path, err) == -1 ||
	    json_opt_bool(root, "root", "readonly", &readonly, err) == -1 ||
	    json_need_obj(config, "config.json", "process", &process, err) ==
		-1 ||
	    json_need_obj(config, "config.json", "linux", &linux_o, err) == -1)
		return -1;
	rootfs = path_join(bundle, path);
	json_object_object_get_ex(config, "ociVersion", &v);
	jb_share(out, "ociVersion", v);
	add_process(out, process, s);
	o = jb_set(out, "root", jb_obj());
	jb_str(o, "path", s->image_dir);
	jb_bool(o, "readonly", true);
	if (json_object_object_get_ex(config, "hostname", &v))
		jb_share(out, "hostname", v);
	add_mounts(out, rootfs, readonly, s, image, mounts);
	if (add_linux(out, linux_o, s, facts, memory, err) == -1 ||
	    add_hooks(out, config, err) == -1)
		return -1;
	return add_annotations(out, config, err);
}

struct json_object *
outer_config(struct json_object *config, const char *bundle,
    const struct settings *s, const struct guest_image *image,
    const struct hostfacts *facts, const struct mounts *mounts,
    const struct memory *memory, struct err *err)
{
	struct json_object *out = jb_obj();

	if (fill(out, config, bundle, s, image, facts, mounts, memory, err) ==
	    -1) {
		json_object_put(out);
		return NULL;
	}
	return out;
}
