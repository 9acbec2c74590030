/* SPDX-License-Identifier: Apache-2.0
 * Machine facts of s390x: virtio-ccw, channel I/O, SCLP console. */
#include "supervisor/machine.h"

#include <stddef.h>

static const char *const console[] = {
    "-device", "sclpconsole,chardev=console", NULL};

const struct machine machine_s390x = {
    .arch = "s390x",
    .type = "s390-ccw-virtio,dump-guest-core=off,mem-merge=off",
    .cpu_kvm = "host",
    .cpu_tcg = "max",
    .nested_kvm = "",
    .nested_tcg = "",
    .cmdline = "console=ttysclp0 quiet panic=-1 cryptomgr.notests",
    .cmdline_tcg = "",
    .console = console,
    .dev_serial = "virtio-serial-ccw",
    .dev_vsock = "vhost-vsock-ccw",
    .dev_rng = "virtio-rng-ccw",
    .dev_balloon = "virtio-balloon-ccw",
    .dev_fs = "vhost-user-fs-ccw",
    .dev_9p = "virtio-9p-ccw",
    .dev_net = "virtio-net-ccw",
    .dev_blk = "virtio-blk-ccw",
    .dev_ap = "vfio-ap",
};
