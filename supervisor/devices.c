/* SPDX-License-Identifier: Apache-2.0
 * Devices that are added by QMP. Commands and members: QEMU QMP reference
 * manual, getfd, chardev-add, netdev_add, device_add. */
#include "supervisor/devices.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/paths.h"
#include "lib/vm_spec.h"
#include "qmp/qmp.h"
#include "supervisor/machine.h"
#include "supervisor/net.h"
#include "supervisor/share.h"

/* What a reply callback needs; one per command, freed by it. */
struct request {
	const struct devices_handler *h;
	void *arg;
};

static void
devices_reply_cb(void *arg, struct json_object *ret, const char *error)
{
	struct request r = *(struct request *)arg;

	free(arg);
	if (ret == NULL)
		r.h->failed(r.arg, error);
}

static int
send_command(struct qmp *q, const char *command, struct json_object *args,
    int fd, const struct devices_handler *h, void *arg, struct err *err)
{
	struct request *r = malloc(sizeof *r);

	if (r == NULL) {
		json_object_put(args);
		cleanup_closep(&fd);
		return err_set(err, "out of memory");
	}
	*r = (struct request){h, arg};
	if (qmp_execute(q, command, args, fd, DEVICES_DEADLINE,
		devices_reply_cb, r, err) == -1) {
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

static struct json_object *
object(const char *key, const char *value)
{
	struct json_object *o = json_object_new_object();

	put_str(o, key, value);
	return o;
}

static int
pass_fd(struct qmp *q, const char *name, int fd,
    const struct devices_handler *h, void *arg, struct err *err)
{
	return send_command(
	    q, "getfd", object("fdname", name), fd, h, arg, err);
}

/* { id, backend: { type: socket, data: { server: false,
 *   addr: { type: fd, data: { str: NAME } } } } } */
static struct json_object *
socket_chardev(const char *id, const char *fdname)
{
	struct json_object *args = object("id", id),
			   *backend = object("type", "socket"),
			   *data = json_object_new_object(),
			   *addr = object("type", "fd");

	json_object_object_add(addr, "data", object("str", fdname));
	json_object_object_add(data, "addr", addr);
	json_object_object_add(data, "server", json_object_new_boolean(0));
	json_object_object_add(backend, "data", data);
	json_object_object_add(args, "backend", backend);
	return args;
}

static int
add_9p(struct qmp *q, const struct machine *m, const struct devices_handler *h,
    void *arg, struct err *err)
{
	struct json_object *dev = object("driver", m->dev_9p);

	put_str(dev, "id", "share");
	put_str(dev, "fsdev", SHARE_TAG);
	put_str(dev, "mount_tag", SHARE_TAG);
	return send_command(q, "device_add", dev, -1, h, arg, err);
}

int
devices_add_share(struct qmp *q, const struct machine *m,
    const struct vm_spec *spec, struct share *share,
    const struct devices_handler *h, void *arg, struct err *err)
{
	struct json_object *dev;

	if (spec->rootfs == VM_ROOTFS_9P)
		return add_9p(q, m, h, arg, err);
	if (pass_fd(q, "share", take_fd(&share->socket_fd), h, arg, err) ==
		-1 ||
	    send_command(q, "chardev-add", socket_chardev("share", "share"), -1,
		h, arg, err) == -1)
		return -1;
	dev = object("driver", m->dev_fs);
	put_str(dev, "id", "share");
	put_str(dev, "chardev", "share");
	put_str(dev, "tag", SHARE_TAG);
	return send_command(q, "device_add", dev, -1, h, arg, err);
}

static int
add_netdev(struct qmp *q, struct net_nic *nic, const char *id,
    const struct devices_handler *h, void *arg, struct err *err)
{
	struct json_object *args;
	char tap[24], vhost[24];
	bool has_vhost = nic->vhost_fd != -1;

	snprintf(tap, sizeof tap, "tap-%s", id);
	snprintf(vhost, sizeof vhost, "vhost-%s", id);
	if (pass_fd(q, tap, take_fd(&nic->tap_fd), h, arg, err) == -1)
		return -1;
	if (has_vhost &&
	    pass_fd(q, vhost, take_fd(&nic->vhost_fd), h, arg, err) == -1)
		return -1;
	args = object("type", "tap");
	put_str(args, "id", id);
	put_str(args, "fd", tap);
	if (has_vhost) {
		json_object_object_add(
		    args, "vhost", json_object_new_boolean(1));
		put_str(args, "vhostfd", vhost);
	}
	return send_command(q, "netdev_add", args, -1, h, arg, err);
}

static int
add_nic(struct qmp *q, const struct machine *m, struct net_nic *nic,
    size_t index, const struct devices_handler *h, void *arg, struct err *err)
{
	struct json_object *dev;
	char id[16], mac[18];

	snprintf(id, sizeof id, "net%zu", index);
	snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", nic->mac[0],
	    nic->mac[1], nic->mac[2], nic->mac[3], nic->mac[4], nic->mac[5]);
	if (add_netdev(q, nic, id, h, arg, err) == -1)
		return -1;
	dev = object("driver", m->dev_net);
	put_str(dev, "netdev", id);
	put_str(dev, "mac", mac);
	/* Without VIRTIO_NET_F_STATUS (virtio 1.2, 5.1.3) the link is up from
	 * the start; with it the guest looks for the carrier up to a second
	 * later. QEMU would not follow the macvtap's carrier anyway. */
	json_object_object_add(dev, "status", json_object_new_boolean(false));
	if (m->net_extra_key != NULL)
		put_str(dev, m->net_extra_key, m->net_extra_value);
	return send_command(q, "device_add", dev, -1, h, arg, err);
}

int
devices_add_nics(struct qmp *q, const struct machine *m, struct net *net,
    const struct devices_handler *h, void *arg, struct err *err)
{
	for (size_t i = 0; i < net->n; i++)
		if (add_nic(q, m, &net->nics[i], i, h, arg, err) == -1)
			return err_prefix(
			    err, "interface %s", net->nics[i].name);
	return 0;
}

int
devices_add_ap(struct qmp *q, const struct machine *m, const struct vm_ap *ap,
    const struct devices_handler *h, void *arg, struct err *err)
{
	struct json_object *dev;
	char path[80];

	if (m->dev_ap == NULL)
		return err_set(
		    err, "RUNQ_APUUID: a guest of %s has no AP bus", m->arch);
	snprintf(path, sizeof path, "/sys/bus/mdev/devices/%s", ap->uuid);
	dev = object("driver", m->dev_ap);
	put_str(dev, "id", "ap");
	put_str(dev, "sysfsdev", path);
	return send_command(q, "device_add", dev, -1, h, arg, err);
}
