/* SPDX-License-Identifier: Apache-2.0
 * The disks of a VM. Commands and members: QEMU QMP reference manual,
 * object-add, add-fd, blockdev-add, device_add.
 *
 * QEMU reaches no path of the host: a disk is a descriptor in an fd set, and
 * its format is what runq found, not what QEMU would guess. A backing file in
 * a qcow2 header names a path, so it is switched off here, although runq
 * refuses such an image before.
 *
 *	fdset N  <-  node "fileN" (file or host_device)  <-  node "diskN" (raw
 *	or qcow2)  <-  virtio-blk "diskN" with serial runq-N
 */
#include "supervisor/disks.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/paths.h"
#include "qmp/qmp.h"
#include "supervisor/devices.h"
#include "supervisor/machine.h"

#define IOTHREAD "disks"

/* What the cache modes are made of: qemu-system(1), -drive cache=. */
static const struct {
	bool writeback; /* the guest sees a write cache, which it flushes */
	bool direct;	/* O_DIRECT */
	bool no_flush;	/* the guest's flushes are dropped */
} modes[] = {
    [VM_DISK_WRITEBACK] = {true, false, false},
    [VM_DISK_WRITETHROUGH] = {false, false, false},
    [VM_DISK_NONE] = {true, true, false},
    [VM_DISK_UNSAFE] = {true, false, true},
};

int
disks_inherit(const struct vm_spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->n_disks; i++)
		if (fcntl(VM_DISK_FD + (int)i, F_SETFD, FD_CLOEXEC) == -1)
			return err_sys(err, "disk %s: fd %d", spec->disks[i].id,
			    VM_DISK_FD + (int)i);
	return 0;
}

/* ---- commands ------------------------------------------------------------ */

/* One per command, freed by its reply. */
struct request {
	const struct devices_handler *h;
	void *arg;
	char disk[VM_DISK_ID_MAX + 1];
};

static void
disks_reply_cb(void *arg, struct json_object *ret, const char *error)
{
	struct request r = *(struct request *)arg;
	char why[ERR_MSG_MAX];

	free(arg);
	if (ret != NULL)
		return;
	snprintf(why, sizeof why, "disk %s: %s", r.disk, error);
	r.h->failed(r.arg, why);
}

struct target {
	struct qmp *q;
	const struct vm_disk *disk;
	unsigned n;
	const struct devices_handler *h;
	void *arg;
};

/* args and fd are taken over. */
static int
command(const struct target *t, const char *name, struct json_object *args,
    int fd, struct err *err)
{
	struct request *r = calloc(1, sizeof *r);

	if (r == NULL) {
		json_object_put(args);
		cleanup_closep(&fd);
		return err_set(err, "out of memory");
	}
	r->h = t->h;
	r->arg = t->arg;
	snprintf(r->disk, sizeof r->disk, "%s", t->disk->id);
	if (qmp_execute(t->q, name, args, fd, DEVICES_DEADLINE, disks_reply_cb,
		r, err) == -1) {
		free(r);
		return -1;
	}
	return 0;
}

static void
put_str(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

static void
put_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

static void __attribute__((format(printf, 3, 4)))
put_fmt(struct json_object *o, const char *key, const char *fmt, ...)
{
	char value[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof value, fmt, ap);
	va_end(ap);
	put_str(o, key, value);
}

/* ---- one disk ------------------------------------------------------------ */

static int
pass_file(const struct target *t, int fd, struct err *err)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "fdset-id", json_object_new_int((int)t->n));
	return command(t, "add-fd", o, fd, err);
}

/* What both nodes of a disk say. */
static struct json_object *
node(const struct target *t, const char *driver, const char *name)
{
	struct json_object *o = json_object_new_object(),
			   *cache = json_object_new_object();

	put_str(o, "driver", driver);
	put_fmt(o, "node-name", "%s%u", name, t->n);
	put_bool(o, "read-only", t->disk->readonly);
	put_str(o, "discard", "unmap");
	put_bool(cache, "direct", modes[t->disk->cache].direct);
	put_bool(cache, "no-flush", modes[t->disk->cache].no_flush);
	json_object_object_add(o, "cache", cache);
	return o;
}

/* A file is locked against a second VM; a device was claimed by runq. */
static struct json_object *
file_node(const struct target *t, bool device)
{
	struct json_object *o =
	    node(t, device ? "host_device" : "file", "file");

	put_fmt(o, "filename", "/dev/fdset/%u", t->n);
	put_str(o, "locking", device ? "auto" : "on");
	return o;
}

static struct json_object *
format_node(const struct target *t)
{
	struct json_object *o =
	    node(t, vm_disk_format_name(t->disk->format), "disk");

	put_fmt(o, "file", "file%u", t->n);
	if (t->disk->format == VM_DISK_QCOW2)
		json_object_object_add(o, "backing", NULL);
	return o;
}

/* An error of the host's file is the guest's error: a VM that stops and waits
 * for somebody to make room would hang. */
static struct json_object *
device(const struct target *t, const struct machine *m)
{
	struct json_object *o = json_object_new_object();

	put_str(o, "driver", m->dev_blk);
	put_fmt(o, "id", "disk%u", t->n);
	put_fmt(o, "drive", "disk%u", t->n);
	put_fmt(o, "serial", DISK_SERIAL_PREFIX "%u", t->n);
	put_str(o, "iothread", IOTHREAD);
	put_str(
	    o, "write-cache", modes[t->disk->cache].writeback ? "on" : "off");
	put_str(o, "werror", "report");
	put_str(o, "rerror", "report");
	return o;
}

static int
add_one(const struct target *t, const struct machine *m, struct err *err)
{
	AUTO_CLOSE int fd = VM_DISK_FD + (int)t->n;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return err_sys(err, "fd %d", fd);
	if (pass_file(t, take_fd(&fd), err) == -1 ||
	    command(t, "blockdev-add", file_node(t, S_ISBLK(st.st_mode)), -1,
		err) == -1 ||
	    command(t, "blockdev-add", format_node(t), -1, err) == -1)
		return -1;
	return command(t, "device_add", device(t, m), -1, err);
}

int
disks_add(struct qmp *q, const struct machine *m, const struct vm_spec *spec,
    const struct devices_handler *h, void *arg, struct err *err)
{
	struct json_object *iothread;

	for (unsigned i = 0; i < spec->n_disks; i++) {
		const struct target t = {q, &spec->disks[i], i, h, arg};

		if (i == 0) {
			iothread = json_object_new_object();
			put_str(iothread, "qom-type", "iothread");
			put_str(iothread, "id", IOTHREAD);
			if (command(&t, "object-add", iothread, -1, err) == -1)
				return -1;
		}
		if (add_one(&t, m, err) == -1)
			return err_prefix(err, "disk %s", t.disk->id);
	}
	return 0;
}
