/* SPDX-License-Identifier: Apache-2.0
 * Machine facts of x86_64: i440fx, PVH entry, PCI, serial console.
 *
 * i440fx and not q35: q35's root bus takes no device_add. The processor's
 * mitigations stay on. The kernel's address is not randomised: the bzImage
 * decompressor does that, and PVH has none (doc/HACKING.md). */
#include "supervisor/machine.h"

#include <stddef.h>

static const char *const console[] = {"-serial", "chardev:console", NULL};

const struct machine machine_x86_64 = {
    .arch = "x86_64",
    .type = "pc,usb=off,vmport=off,smbus=off,graphics=off,"
	    "dump-guest-core=off,mem-merge=off",
    .cpu_kvm = "host",
    /* With these the kernel copies and clears memory by the byte
     * (rep movsb), of which TCG makes a loop of bytes; without, by eight. */
    .cpu_tcg = "max,-erms,-fsrm",
    /* A hypervisor below rarely has a PMU that works two levels up. QEMU
     * emulates SVM, with nested pages, and no VMX. */
    .nested_kvm = ",pmu=off",
    .nested_tcg = ",svm=on,npt=on",
    /* panic=-1: reboot at once, which ends QEMU (-no-reboot).
     * pci=noearly: the early quirks scan every bus, one exit a register.
     * i8042.*, 8250.*: do not probe what is not there. */
    .cmdline = "console=ttyS0 quiet panic=-1 reboot=t pci=noearly "
	       "8250.nr_uarts=1 i8042.noaux i8042.nokbd i8042.nopnp "
	       "cryptomgr.notests random.trust_bootloader=on",
    /* TCG's timers fail the IO-APIC check under load */
    .cmdline_tcg = "no_timer_check tsc=reliable",
    .console = console,
    .dev_serial = "virtio-serial-pci",
    .dev_vsock = "vhost-vsock-pci",
    .dev_rng = "virtio-rng-pci",
    .dev_balloon = "virtio-balloon-pci",
    .dev_fs = "vhost-user-fs-pci",
    .dev_9p = "virtio-9p-pci",
    .dev_net = "virtio-net-pci",
    .dev_blk = "virtio-blk-pci",
    .net_extra_key = "romfile", /* no boot ROM is installed, none wanted */
    .net_extra_value = "",
};
