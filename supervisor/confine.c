/* SPDX-License-Identifier: Apache-2.0
 * Confinement: QEMU's jail, and what the supervisor gives up.
 *
 * QEMU talks to the guest all day and is the first that a guest can take over.
 * It gets, in this order:
 *	1. mount, network, IPC and UTS namespaces of its own;
 *	2. a root that holds the assembled qemu folder, read-only, and a /dev
 *	   with null, urandom and perhaps kvm: no /proc, no /sys, no share, no
 *	   socket of ours (with an AP device: its two nodes, and a /sys with
 *	   the one link that QEMU reads);
 *	3. no core dumps;
 *	4. an empty capability bounding set, an unprivileged user and group;
 *	5. (its own -sandbox: no fork, no exec, no privileges)
 * and no file descriptor beyond those it was started with. no_new_privs is set
 * for the whole container.
 */
#include "supervisor/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/paths.h"
#include "lib/vm_spec.h"
#include "supervisor/filter.h"

/* Character devices: Linux Documentation/admin-guide/devices.txt */
static const struct {
	const char *path;
	unsigned major, minor;
	bool kvm;
} qemu_devices[] = {
    {"dev/null", 1, 3, false},
    {"dev/urandom", 1, 9, false},
    {"dev/kvm", 10, 232, true},
};

/* A copy of the container's node of that path; / is still the container's. */
static int
copy_node(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return err_sys(err, "%s", path);
	if (mknod(path + 1, S_IFCHR | 0600, st.st_rdev) == -1 ||
	    chown(path + 1, QEMU_UID, QEMU_GID) == -1)
		return err_sys(err, "mknod %s", path);
	return 0;
}

static int
ap_dev(const struct vm_ap *ap, struct err *err)
{
	char group[32];

	snprintf(group, sizeof group, "/dev/vfio/%u", ap->group);
	if (mkdir("dev/vfio", 0755) == -1)
		return err_sys(err, "mkdir /dev/vfio");
	if (copy_node("/dev/vfio/vfio", err) == -1)
		return -1;
	return copy_node(group, err);
}

/* vfio-ap wants to know the group of its device, and reads no more of sysfs
 * than that. */
static int
ap_sys(const struct vm_ap *ap, struct err *err)
{
	static const char *const dirs[] = {
	    "sys/bus", "sys/bus/mdev", "sys/bus/mdev/devices"};
	char path[128], target[64];

	if (mount("tmpfs", "sys", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV,
		"mode=755,size=64k,nr_inodes=16") == -1)
		return err_sys(err, "mount /sys");
	for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
		if (mkdir(dirs[i], 0755) == -1)
			return err_sys(err, "mkdir /%s", dirs[i]);
	snprintf(path, sizeof path, "sys/bus/mdev/devices/%s", ap->uuid);
	if (mkdir(path, 0755) == -1)
		return err_sys(err, "mkdir /%s", path);
	snprintf(
	    path, sizeof path, "sys/bus/mdev/devices/%s/iommu_group", ap->uuid);
	snprintf(
	    target, sizeof target, "/sys/kernel/iommu_groups/%u", ap->group);
	if (symlink(target, path) == -1)
		return err_sys(err, "symlink /%s", path);
	if (mount(NULL, "sys", NULL,
		MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC |
		    MS_NODEV,
		NULL) == -1)
		return err_sys(err, "remount /sys");
	return 0;
}

static int
qemu_dev(const struct confine_qemu *c, struct err *err)
{
	if (mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC,
		"mode=755,size=64k,nr_inodes=16") == -1)
		return err_sys(err, "mount /dev");
	for (size_t i = 0; i < sizeof qemu_devices / sizeof qemu_devices[0];
	     i++) {
		const char *path = qemu_devices[i].path;

		if (qemu_devices[i].kvm && !c->kvm)
			continue;
		if (mknod(path, S_IFCHR | 0600,
			makedev(qemu_devices[i].major,
			    qemu_devices[i].minor)) == -1 ||
		    chown(path, QEMU_UID, QEMU_GID) == -1)
			return err_sys(err, "mknod /%s", path);
	}
	if (c->ap->uuid != NULL && ap_dev(c->ap, err) == -1)
		return -1;
	if (mount(NULL, "dev", NULL,
		MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC,
		NULL) == -1)
		return err_sys(err, "remount /dev");
	return 0;
}

static int
qemu_root(const struct confine_qemu *c, struct err *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return err_sys(err, "make / private");
	/* without MS_REC: the folder alone, nothing that is mounted on it */
	if (mount("/", "/tmp", NULL, MS_BIND, NULL) == -1)
		return err_sys(err, "bind / to /tmp");
	if (chdir("/tmp") == -1)
		return err_sys(err, "chdir /tmp");
	if (qemu_dev(c, err) == -1 ||
	    (c->ap->uuid != NULL && ap_sys(c->ap, err) == -1))
		return -1;
	/* pivot_root(2), NOTES: new root and put_old may be the same */
	if (syscall(SYS_pivot_root, ".", ".") == -1)
		return err_sys(err, "pivot_root");
	if (umount2(".", MNT_DETACH) == -1 || chdir("/") == -1)
		return err_sys(err, "umount the old root");
	return 0;
}

int
confine_bounding(struct err *err)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			return err_sys(err, "drop capability %d", cap);
	return 0;
}

int
confine_qemu(const void *arg, struct err *err)
{
	const struct confine_qemu *c = arg;
	const struct rlimit none = {0, 0};

	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) ==
	    -1)
		return err_sys(err, "unshare");
	if (qemu_root(c, err) == -1)
		return -1;
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		return err_sys(err, "no core dumps");
	if (confine_bounding(err) == -1)
		return -1;
	if (setgroups(0, NULL) == -1 ||
	    setresgid(QEMU_GID, QEMU_GID, QEMU_GID) == -1 ||
	    setresuid(QEMU_UID, QEMU_UID, QEMU_UID) == -1)
		return err_sys(err, "change user to %d", QEMU_UID);
	return 0;
}

int
confine_self(bool dns, struct err *err)
{
	struct __user_cap_header_struct h = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	if (confine_bounding(err) == -1)
		return -1;
	if (syscall(SYS_capset, &h, none) == -1)
		return err_sys(err, "drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return err_sys(err, "no_new_privs");
	return filter_install(dns, err);
}
