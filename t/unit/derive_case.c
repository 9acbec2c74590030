/* SPDX-License-Identifier: Apache-2.0
 * One case of t/unit/golden/: loading it and running the derivation. */
#include "t/unit/derive_case.h"

#include <glob.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "runtime/bundle.h"
#include "runtime/cli.h"
#include "runtime/derive.h"
#include "runtime/disks.h"
#include "runtime/hostfacts.h"
#include "runtime/jbuild.h"
#include "runtime/limits.h"
#include "runtime/mounts.h"

#define ID "3f0c1a5b"
#define BUNDLE "/run/bundle"

static void
get_device(struct json_object *o, const char *key, struct device_fact *d)
{
	struct json_object *a;

	if (!json_object_object_get_ex(o, key, &a))
		return;
	d->present = true;
	d->major =
	    (unsigned)json_object_get_int(json_object_array_get_idx(a, 0));
	d->minor =
	    (unsigned)json_object_get_int(json_object_array_get_idx(a, 1));
}

static enum path_kind
kind_by_name(const char *name)
{
	static const char *const names[] = {
	    "missing", "dir", "file", "socket", "fifo", "device"};

	for (size_t i = 0; i < 6; i++)
		if (strcmp(names[i], name) == 0)
			return (enum path_kind)i;
	return PATH_KIND_FILE;
}

static void
get_path(struct json_object *o, struct path_fact *p)
{
	p->kind = PATH_KIND_DIR;
	if (json_object_is_type(o, json_type_string)) {
		p->kind = kind_by_name(json_object_get_string(o));
		p->error = p->kind == PATH_KIND_MISSING ? 2 : 0;
	} else if (json_object_is_type(o, json_type_int)) {
		p->tmpfs = true;
		p->tmpfs_size = json_object_get_uint64(o);
	}
}

static void
add_path(struct hostfacts *f, const char *path, struct json_object *paths)
{
	struct path_fact *p;
	struct json_object *v;

	f->paths = xreallocarray(f->paths, f->n_paths + 1, sizeof(*p));
	p = &f->paths[f->n_paths++];
	*p = (struct path_fact){.path = xstrdup(path), .kind = PATH_KIND_DIR};
	if (paths != NULL && json_object_object_get_ex(paths, path, &v))
		get_path(v, p);
}

/* "image": "s390x": what its /bin/sh is for; without: cannot be told */
static void
get_image(struct json_object *o, const char *key, struct image_arch *a)
{
	struct json_object *v;

	*a = (struct image_arch){.name = ""};
	if (!json_object_object_get_ex(o, key, &v))
		return;
	snprintf(a->name, sizeof(a->name), "%s", json_object_get_string(v));
	snprintf(a->file, sizeof(a->file), "/bin/sh");
}

static void
get_facts(
    struct json_object *o, const struct mounts *mounts, struct hostfacts *f)
{
	struct json_object *paths = NULL, *limits = NULL, *v;

	*f = (struct hostfacts){.macvtap_major = -1};
	snprintf(f->arch, sizeof(f->arch), "%s",
	    json_object_object_get_ex(o, "arch", &v) ? json_object_get_string(v)
						     : "x86_64");
	snprintf(f->hostname, sizeof(f->hostname), "thehost");
	get_image(o, "image", &f->image);
	get_image(o, "entry", &f->entry);
	snprintf(f->guests, sizeof(f->guests), "x86_64");
	get_device(o, "kvm", &f->kvm);
	get_device(o, "vhost_net", &f->vhost_net);
	get_device(o, "vhost_vsock", &f->vhost_vsock);
	get_device(o, "vfio", &f->ap.vfio);
	get_device(o, "vfio_group", &f->ap.group_dev);
	if (json_object_object_get_ex(o, "ap_group", &v))
		f->ap.group = (unsigned)json_object_get_int(v);
	if (json_object_object_get_ex(o, "ap_error", &v))
		f->ap.error = xstrdup(json_object_get_string(v));
	if (json_object_object_get_ex(o, "macvtap", &v))
		f->macvtap_major = json_object_get_int(v);
	if (json_object_object_get_ex(o, "cpus", &v))
		f->cpus = (unsigned)json_object_get_int(v);
	if (json_object_object_get_ex(o, "netns_is_hosts", &v))
		f->netns_is_hosts = json_object_get_boolean(v);
	if (json_object_object_get_ex(o, "image_certs", &v))
		f->image_certs = json_object_get_boolean(v);
	json_object_object_get_ex(o, "limits", &limits);
	case_limits(limits, &f->limits);
	json_object_object_get_ex(o, "paths", &paths);
	for (size_t i = 0; i < mounts->n; i++)
		if (mounts->v[i].kind == MOUNT_BIND)
			add_path(f, mounts->v[i].source, paths);
}

/* {"RLIMIT_NOFILE": [soft, hard]} */
void
case_limits(struct json_object *o, struct limits *l)
{
	*l = (struct limits){.n = 0};
	if (o == NULL)
		return;
	json_object_object_foreach (o, type, v)
		l->v[l->n++] = (struct limit){type,
		    json_object_get_uint64(json_object_array_get_idx(v, 0)),
		    json_object_get_uint64(json_object_array_get_idx(v, 1))};
}

/* {"kind": "file", "fs": "ext4", "format": "qcow2", ...} by source, or by
 * "MAJOR:MINOR"; without: a file with ext4. */
static void
get_disk(struct json_object *o, struct disk *d)
{
	static const char *const kinds[] = {
	    "missing", "file", "block", "dir", "other"};
	static const char *const flags[] = {
	    "backing_file", "data_file", "encrypted", "no_direct"};
	bool *const to[] = {&d->content.backing_file, &d->content.data_file,
	    &d->content.encrypted, &d->no_direct};
	struct json_object *v;

	d->kind = d->source != NULL ? DISK_FILE : DISK_BLOCK;
	d->size = 1 << 20;
	d->content.fs = DISK_FS_EXT4;
	if (o == NULL)
		return;
	for (size_t i = 0; i < 5; i++)
		if (json_object_object_get_ex(o, "kind", &v) &&
		    strcmp(json_object_get_string(v), kinds[i]) == 0)
			d->kind = (enum disk_kind)i;
	if (json_object_object_get_ex(o, "error", &v))
		d->error = json_object_get_int(v);
	if (json_object_object_get_ex(o, "size", &v))
		d->size = json_object_get_uint64(v);
	if (json_object_object_get_ex(o, "format", &v))
		vm_disk_format_parse(
		    json_object_get_string(v), &d->content.format, NULL);
	for (int fs = DISK_FS_NONE; fs <= DISK_FS_BTRFS; fs++)
		if (json_object_object_get_ex(o, "fs", &v) &&
		    strcmp(json_object_get_string(v),
			disk_fs_name((enum disk_fs)fs)) == 0)
			d->content.fs = (enum disk_fs)fs;
	for (size_t i = 0; i < 4; i++)
		*to[i] = json_object_object_get_ex(o, flags[i], &v) &&
		    json_object_get_boolean(v);
}

static void
get_disks(struct json_object *facts, struct disks *disks)
{
	struct json_object *all = NULL, *v;

	json_object_object_get_ex(facts, "disks", &all);
	for (size_t i = 0; i < disks->n; i++) {
		struct disk *d = &disks->v[i];
		AUTO_FREE char *numbers =
		    xasprintf("%u:%u", d->major, d->minor);

		v = NULL;
		if (all != NULL)
			json_object_object_get_ex(
			    all, d->source != NULL ? d->source : numbers, &v);
		get_disk(v, d);
		if (d->source == NULL)
			d->source = xstrdup("/dev/sdx");
	}
}

static int
get_cli(struct json_object *args, struct cli *cli, struct err *err)
{
	/* the default depends on where this build is to be installed */
	static char name[] = "runq", option[] = "--image-dir",
		    dir[] = "/var/lib/runq/qemu";
	char *argv[64] = {name, option, dir};
	int argc = 3;

	for (size_t i = 0;
	     args != NULL && argc < 60 && i < json_object_array_length(args);
	     i++)
		argv[argc++] = (char *)(uintptr_t)json_object_get_string(
		    json_object_array_get_idx(args, i));
	return cli_parse(cli, argc, argv, err);
}

/* The next version's number is not to change every file. */
static void
hide_version(struct json_object *outer)
{
	struct json_object *a;

	if (json_object_object_get_ex(outer, "annotations", &a))
		jb_str(a, BUNDLE_ANNOTATION, "VERSION");
}

static struct json_object *
result(const struct derived *d, struct err *err)
{
	struct json_object *o = jb_obj(), *spec;
	AUTO_FREE char *text = NULL;
	struct vm_spec back;
	size_t len;

	text = xcheck(vm_spec_serialize(&d->spec, &len));
	if (vm_spec_parse(text, len, &back, err) == -1) {
		err_prefix(err, "THE SPEC CANNOT BE READ BACK");
		jb_str(o, "error", err->msg);
	} else {
		spec = json_parse(text, len, "spec", err);
		jb_set(o, "spec", xcheck(spec));
		hide_version(d->outer);
		jb_share(o, "outer", d->outer);
	}
	vm_spec_free(&back);
	return o;
}

struct json_object *
case_run(struct json_object *args, struct json_object *facts_o,
    struct json_object *config)
{
	struct json_object *o;
	struct mounts mounts = {0};
	struct disks disks = {0};
	struct hostfacts facts = {0};
	struct derived d = {0};
	struct cli cli;
	struct err err = {""};

	if (get_cli(args, &cli, &err) == -1 ||
	    mounts_parse(&mounts, config, BUNDLE, &err) == -1 ||
	    disks_parse(&disks, config, BUNDLE, &err) == -1)
		goto fail;
	get_facts(facts_o, &mounts, &facts);
	get_disks(facts_o, &disks);
	if (derive(
		&(struct derive_input){
		    .config = config,
		    .id = ID,
		    .bundle = BUNDLE,
		    .settings = &cli.settings,
		    .mounts = &mounts,
		    .disks = &disks,
		    .facts = &facts,
		},
		&d, &err) == -1)
		goto fail;
	o = result(&d, &err);
	goto out;
fail:
	o = jb_obj();
	jb_str(o, "error", err.msg);
out:
	derived_free(&d);
	hostfacts_free(&facts);
	disks_free(&disks);
	mounts_free(&mounts);
	cli_free(&cli);
	return o;
}

char **
case_files(const char *dir)
{
	const char *src = getenv("T_SRCDIR");
	AUTO_FREE char *pattern =
	    xasprintf("%s/t/unit/%s/*.json", src != NULL ? src : ".", dir);
	glob_t g;
	char **files;

	if (glob(pattern, 0, NULL, &g) != 0)
		return xcalloc(1, sizeof(*files));
	files = xcalloc(g.gl_pathc + 1, sizeof(*files));
	for (size_t i = 0; i < g.gl_pathc; i++)
		files[i] = xstrdup(g.gl_pathv[i]);
	globfree(&g);
	return files;
}

void
case_files_free(char **files)
{
	for (char **f = files; *f != NULL; f++)
		free(*f);
	free(files);
}

struct json_object *
case_load(const char *path)
{
	return json_object_from_file(path);
}
