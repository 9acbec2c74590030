/* SPDX-License-Identifier: Apache-2.0
 * Disks: what can be known to be wrong before a VM boots, and the disks in
 * the terms of the spec. */
#include <errno.h>
#include <string.h>

#include "runtime/disks.h"
#include "runtime/jbuild.h"
#include "runtime/settings.h"
#include "runtime/xalloc.h"

static int
check_opened(const struct disk *d, struct err *err)
{
	const char *what = d->source != NULL ? d->source : "this device";

	if (d->kind == DISK_DIR)
		return err_set(err,
		    "%.256s is a directory (docker run -v makes one where "
		    "there is nothing); allowed: image files and block devices",
		    what);
	if (d->kind == DISK_OTHER)
		return err_set(err,
		    "%.256s is neither a file nor a block device; allowed: "
		    "image files and block devices",
		    what);
	if (d->error == EBUSY)
		return err_set(err,
		    "%.256s is in use on this host: mounted, or the disk of "
		    "another VM",
		    what);
	if (d->error == EROFS || d->error == EACCES)
		return err_set(err,
		    "%.256s cannot be written (%s); with :ro it is only read",
		    what, strerror(d->error));
	if (d->error != 0)
		return err_set(err, "%.256s: %s", what, strerror(d->error));
	if (d->size == 0)
		return err_set(err, "%.256s is empty", what);
	if (d->no_direct)
		return err_set(err,
		    "cache none needs a file system with O_DIRECT, which that "
		    "of %.256s is not; allowed for it: writeback, "
		    "writethrough, unsafe",
		    what);
	return 0;
}

static int
check_content(const struct disk *d, struct err *err)
{
	const struct disk_content *c = &d->content;

	if (c->backing_file || c->data_file)
		return err_set(err,
		    "the qcow2 image names another file (%s), which is not "
		    "followed; allowed: images that are complete in "
		    "themselves (qemu-img convert makes one)",
		    c->backing_file ? "backing file" : "data file");
	if (c->encrypted)
		return err_set(err,
		    "the qcow2 image is encrypted; allowed: images that are "
		    "not");
	if (d->fstype == NULL || c->format != VM_DISK_RAW ||
	    disk_fs_mounts_as(c->fs, d->fstype))
		return 0;
	if (c->fs == DISK_FS_NONE)
		return err_set(err,
		    "%.256s does not hold a file system of type %s, nor any "
		    "other that is allowed (ext2, ext3, ext4, xfs, btrfs)",
		    d->source, d->fstype);
	return err_set(err, "%.256s holds %s, not %s", d->source,
	    disk_fs_name(c->fs), d->fstype);
}

static const struct disk *
find(const struct disks *d, const char *id)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->v[i].id, id) == 0)
			return &d->v[i];
	return NULL;
}

static int
check_rootdisk(const struct disk *d, bool root_readonly, struct err *err)
{
	if (d->fstype == NULL ||
	    (strcmp(d->fstype, "ext2") != 0 && strcmp(d->fstype, "ext4") != 0))
		return err_set(err,
		    "file system %s cannot be the root; allowed: "
		    "ext2 or ext4, as in " DISKS_PATH "/%s/%s/ext4",
		    d->fstype != NULL ? d->fstype : "of no given type", d->id,
		    vm_disk_cache_name(d->cache));
	if (d->mountpoint != NULL)
		return err_set(err,
		    "mount point \"%.200s\": the root disk has none but /",
		    d->mountpoint);
	if (root_readonly && !d->readonly)
		return err_set(err,
		    "--read-only: the root disk must be read-only, too (:ro), "
		    "and hold its copy of the image already");
	return 0;
}

int
disks_check(const struct disks *d, const struct settings *s, bool root_readonly,
    struct err *err)
{
	const struct disk *root;

	for (size_t i = 0; i < d->n; i++)
		if (check_opened(&d->v[i], err) == -1 ||
		    check_content(&d->v[i], err) == -1)
			return err_prefix(err, "%.400s", d->v[i].given);
	if (s->rootdisk == NULL)
		return 0;
	if ((root = find(d, s->rootdisk)) == NULL)
		return err_set(err,
		    "RUNQ_ROOTDISK: \"%s\": this container has no disk with "
		    "that id; it comes from --volume IMAGE:" DISKS_PATH
		    "/%s/CACHE/ext4 or --device",
		    s->rootdisk, s->rootdisk);
	if (check_rootdisk(root, root_readonly, err) == -1)
		return err_prefix(err, "RUNQ_ROOTDISK: %.400s", root->given);
	return 0;
}

void
disks_spec(const struct disks *d, struct vm_spec *spec)
{
	if (d->n == 0)
		return;
	spec->disks = xcalloc(d->n, sizeof(*spec->disks));
	for (spec->n_disks = 0; spec->n_disks < d->n; spec->n_disks++) {
		const struct disk *from = &d->v[spec->n_disks];

		spec->disks[spec->n_disks] = (struct vm_disk){
		    .id = xstrdup(from->id),
		    .format = from->content.format,
		    .cache = from->cache,
		    .readonly = from->readonly,
		};
	}
}

static struct json_object *
guest_disk(const struct disk *d, bool is_root)
{
	struct json_object *o = jb_obj();

	jb_str(o, "id", d->id);
	if (d->fstype != NULL)
		jb_str(o, "fstype", d->fstype);
	if (d->fstype != NULL && d->mountpoint != NULL)
		jb_str(o, "mountpoint", d->mountpoint);
	jb_bool(o, "readonly", d->readonly);
	if (is_root)
		jb_bool(o, "root", true);
	return o;
}

void
disks_guest(const struct disks *d, const struct settings *s,
    struct json_object *container)
{
	const struct strlist *exclude = &s->rootdisk_exclude;
	struct json_object *a;

	if (d->n == 0)
		return;
	a = jb_set(container, "disks", jb_arr());
	for (size_t i = 0; i < d->n; i++)
		jb_push(a,
		    guest_disk(&d->v[i],
			s->rootdisk != NULL &&
			    strcmp(s->rootdisk, d->v[i].id) == 0));
	if (s->rootdisk != NULL && exclude->n > 0)
		jb_set(container, "rootExclude",
		    jb_strv((const char *const *)exclude->v, exclude->n));
}
