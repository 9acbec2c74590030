/* SPDX-License-Identifier: Apache-2.0
 * Where things are inside a VM's container, as seen by the supervisor. The
 * container's root is the assembled qemu folder, read-only; the image is one
 * directory of the share and never anybody's root on the host. */
#ifndef LIB_PATHS_H
#define LIB_PATHS_H

#define PATH_SUPERVISOR "/sbin/supervisor"
#define PATH_VIRTIOFSD "/usr/lib/qemu/virtiofsd"
#define PATH_NINEPD "/sbin/ninepd"

/*
 * The share, a small tmpfs whose mount points virtiofsd exports (tag
 * SHARE_TAG), with announced submounts:
 *	rootfs		the image's root file system
 *	modules		/lib/modules of the guest kernel, read-only
 *	vol/N		the bind mounts of the bundle, in order, from 0
 */
#define PATH_SHARE "/share"
#define SHARE_TAG "share"
#define SHARE_ROOTFS "rootfs"
#define SHARE_MODULES "modules"
#define SHARE_VOLUMES "vol"

#define PATH_RUN "/run"			  /* tmpfs, mode 0700 */
#define PATH_QMP_SOCKET "/run/qmp.sock"	  /* for people; mode 0600 */
#define PATH_EXEC_SOCKET "/run/exec.sock" /* for relays; mode 0600 */
#define PATH_RELAY "/sbin/relay"

/* Name of the virtio-serial port of the channel, and the vsock rule: the
 * agent dials CID 2 at the port whose number is its own CID. */
#define CHANNEL_PORT_NAME "runq.channel"

/* Disk N of the spec has this serial number and N; its own id may be longer
 * than the 20 bytes that virtio has for it (virtio 1.2, 5.2.6). */
#define DISK_SERIAL_PREFIX "runq-"

/* Unprivileged user and group of QEMU, in no passwd file of an image. */
#define QEMU_UID 64061
#define QEMU_GID 64061

#endif
