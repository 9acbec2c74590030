/* SPDX-License-Identifier: Apache-2.0
 * The disks of a bundle: what config.json says of them. */
#include "runtime/disks.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "runtime/mounts.h"
#include "runtime/path.h"
#include "runtime/xalloc.h"

#define FORM DISKS_PATH "/ID/CACHE[/FSTYPE[/MOUNTPOINT]]"

bool
disks_is_disk(const char *path)
{
	return path_is_below(path, DISKS_PATH);
}

/* ---- the destination ------------------------------------------------ */

/* Takes one component off *p; "" when none is left. */
static char *
component(const char **p)
{
	size_t n;
	char *c;

	*p += strspn(*p, "/");
	n = strcspn(*p, "/");
	c = xstrndup(*p, n);
	*p += n;
	return c;
}

static int
check_id(const struct disks *d, const char *id, struct err *err)
{
	if (vm_disk_id_check(id, err) == -1)
		return err_prefix(err, "id");
	for (size_t i = 0; i + 1 < d->n; i++)
		if (strcmp(d->v[i].id, id) == 0)
			return err_set(err,
			    "id \"%s\" is taken by %.256s; each disk needs an "
			    "id of its own",
			    id, d->v[i].given);
	return 0;
}

/* The guest's own file systems are no place for a disk. */
static int
check_mountpoint(const char *path, struct err *err)
{
	static const char *const taken[] = {
	    "/dev", "/proc", "/sys", MOUNTS_MODULES, ("/usr" MOUNTS_MODULES)};

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (path_is_below(path, taken[i]))
			return err_set(err,
			    "mount point \"%.256s\": %s is the guest's own; "
			    "any other place is allowed",
			    path, taken[i]);
	return 0;
}

static int
parse_destination(
    struct disks *all, struct disk *d, const char *path, struct err *err)
{
	const char *p = path + strlen(DISKS_PATH);
	AUTO_FREE char *id = component(&p), *cache = component(&p),
		       *fstype = component(&p);

	if (cache[0] == '\0')
		return err_set(err, "must have the form " FORM);
	if (check_id(all, id, err) == -1)
		return -1;
	d->id = xstrdup(id);
	if (vm_disk_cache_parse(cache, &d->cache, err) == -1)
		return err_prefix(err, "cache");
	if (fstype[0] == '\0')
		return 0;
	if (vm_fstype_check(fstype, err) == -1)
		return err_prefix(err, "file system");
	d->fstype = xstrdup(fstype);
	if (p[0] == '\0')
		return 0;
	if (check_mountpoint(p, err) == -1)
		return -1;
	d->mountpoint = xstrdup(p);
	return 0;
}

/* The new last one; given is taken over. */
static struct disk *
append(struct disks *d, char *given)
{
	d->v = xreallocarray(d->v, d->n + 1, sizeof(*d->v));
	d->v[d->n] = (struct disk){.given = given, .fd = -1};
	return &d->v[d->n++];
}

static int
finish(
    struct disks *all, struct disk *d, const char *destination, struct err *err)
{
	if (all->n > VM_DISKS_MAX)
		return err_set(err,
		    "%s: too many disks; allowed: %d in a container", d->given,
		    VM_DISKS_MAX);
	if (parse_destination(all, d, destination, err) == -1)
		return err_prefix(err, "%.400s", d->given);
	return 0;
}

/* ---- mounts --------------------------------------------------------- */

static bool
has_option(const char *const *options, const char *name)
{
	for (; options != NULL && *options != NULL; options++)
		if (strcmp(*options, name) == 0)
			return true;
	return false;
}

static int
parse_mount(struct disks *all, struct json_object *o, const char *bundle,
    struct err *err)
{
	AUTO_FREE const char **options = NULL;
	AUTO_FREE char *clean = NULL;
	const char *destination, *type = "", *source = "";
	struct disk *d;
	size_t n;

	/* mounts_parse() complains about the others */
	if (json_need_str(o, "mounts[]", "destination", &destination, err) ==
		-1 ||
	    destination[0] != '/' || strlen(destination) >= PATH_LEN_MAX)
		return 0;
	clean = path_clean(destination);
	if (!disks_is_disk(clean))
		return 0;
	if (json_opt_str(o, "mounts[]", "type", &type, err) == -1 ||
	    json_opt_str(o, "mounts[]", "source", &source, err) == -1 ||
	    json_opt_strv(o, "mounts[]", "options", &options, &n, err) == -1)
		return -1;
	if ((strcmp(type, "bind") != 0 && !has_option(options, "bind") &&
		!has_option(options, "rbind")) ||
	    source[0] == '\0')
		return err_set(err,
		    "mount at \"%.256s\": type \"%.64s\" cannot be "
		    "below " DISKS_PATH "; allowed there: --volume IMAGE:" FORM,
		    clean, type);
	d = append(all, xasprintf("--volume %s:%s", source, clean));
	d->source = path_join(bundle, source);
	d->readonly = has_option(options, "ro");
	return finish(all, d, clean, err);
}

/* ---- devices -------------------------------------------------------- */

/* docker run --device X:/dev/runq/...:r */
static bool
may_write(struct json_object *linux_o, unsigned major, unsigned minor)
{
	struct json_object *r = NULL, *rules = NULL;
	bool found = false, write = false;

	if (json_opt_obj(linux_o, "linux", "resources", &r, NULL) == -1 ||
	    r == NULL ||
	    json_opt_arr(r, "linux.resources", "devices", &rules, NULL) == -1 ||
	    rules == NULL)
		return true;
	for (size_t i = 0; i < json_object_array_length(rules); i++) {
		struct json_object *o = json_object_array_get_idx(rules, i);
		const char *type = "", *access = "";
		int64_t a = -1, b = -1;
		bool allow = false;

		if (json_opt_str(o, "", "type", &type, NULL) == -1 ||
		    json_opt_str(o, "", "access", &access, NULL) == -1 ||
		    json_opt_int(o, "", "major", -1, INT32_MAX, &a, NULL) ==
			-1 ||
		    json_opt_int(o, "", "minor", -1, INT32_MAX, &b, NULL) ==
			-1 ||
		    json_opt_bool(o, "", "allow", &allow, NULL) == -1)
			continue;
		if (!allow || strcmp(type, "b") != 0 || a != major ||
		    b != minor)
			continue;
		found = true;
		write |= strchr(access, 'w') != NULL;
	}
	return write || !found;
}

static int
parse_device(struct disks *all, struct json_object *o,
    struct json_object *linux_o, struct err *err)
{
	const char *w = "linux.devices[]", *path, *type;
	AUTO_FREE char *clean = NULL;
	int64_t major = 0, minor = 0;
	struct disk *d;

	if (json_need_str(o, w, "path", &path, err) == -1)
		return -1;
	if (path[0] != '/' || strlen(path) >= PATH_LEN_MAX)
		return 0;
	clean = path_clean(path);
	if (!disks_is_disk(clean))
		return 0;
	if (json_need_str(o, w, "type", &type, err) == -1 ||
	    json_opt_int(o, w, "major", 0, INT32_MAX, &major, err) == -1 ||
	    json_opt_int(o, w, "minor", 0, INT32_MAX, &minor, err) == -1)
		return -1;
	if (strcmp(type, "b") != 0)
		return err_set(err,
		    "--device %.256s: not a block device; allowed below "
		    "/dev/runq/: block devices",
		    clean);
	d = append(all, xasprintf("--device %s", clean));
	d->major = (unsigned)major;
	d->minor = (unsigned)minor;
	d->readonly = !may_write(linux_o, d->major, d->minor);
	return finish(all, d, clean, err);
}

/* ---- both ----------------------------------------------------------- */

static unsigned
depth(const struct disk *d)
{
	unsigned n = 0;

	for (const char *p = d->mountpoint; p != NULL && *p != '\0'; p++)
		n += *p == '/';
	return n;
}

/* A mount point inside another disk comes after that; otherwise the order
 * stays. Insertion: there are a handful. */
static void
sort_by_depth(struct disks *d)
{
	for (size_t i = 1; i < d->n; i++) {
		struct disk x = d->v[i];
		size_t j = i;

		for (; j > 0 && depth(&d->v[j - 1]) > depth(&x); j--)
			d->v[j] = d->v[j - 1];
		d->v[j] = x;
	}
}

/* Two on one place: the first would be out of reach. */
static int
check_mountpoints(const struct disks *d, struct err *err)
{
	for (size_t i = 0; i < d->n; i++)
		for (size_t j = 0; j < i; j++)
			if (d->v[i].mountpoint != NULL &&
			    d->v[j].mountpoint != NULL &&
			    strcmp(d->v[i].mountpoint, d->v[j].mountpoint) == 0)
				return err_set(err,
				    "%.400s: mount point \"%.200s\" is taken "
				    "by disk %s",
				    d->v[i].given, d->v[i].mountpoint,
				    d->v[j].id);
	return 0;
}

int
disks_parse(struct disks *d, struct json_object *config, const char *bundle,
    struct err *err)
{
	struct json_object *mounts = NULL, *linux_o = NULL, *devices = NULL;

	*d = (struct disks){0};
	if (json_opt_arr(config, "config.json", "mounts", &mounts, err) == -1 ||
	    json_opt_obj(config, "config.json", "linux", &linux_o, err) == -1 ||
	    (linux_o != NULL &&
		json_opt_arr(linux_o, "linux", "devices", &devices, err) == -1))
		return -1;
	for (size_t i = 0;
	     mounts != NULL && i < json_object_array_length(mounts); i++)
		if (parse_mount(d, json_object_array_get_idx(mounts, i), bundle,
			err) == -1)
			return -1;
	for (size_t i = 0;
	     devices != NULL && i < json_object_array_length(devices); i++)
		if (parse_device(d, json_object_array_get_idx(devices, i),
			linux_o, err) == -1)
			return -1;
	sort_by_depth(d);
	return check_mountpoints(d, err);
}

void
disks_free(struct disks *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].given);
		free(d->v[i].id);
		free(d->v[i].fstype);
		free(d->v[i].mountpoint);
		free(d->v[i].source);
		cleanup_closep(&d->v[i].fd);
	}
	free(d->v);
	*d = (struct disks){0};
}
