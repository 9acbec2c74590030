/* SPDX-License-Identifier: Apache-2.0
 * The command check: what it asks the host. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/vhost.h>
#include <linux/vm_sockets.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/accel.h"
#include "lib/cleanup.h"
#include "runtime/check.h"
#include "runtime/delegate.h"
#include "runtime/hostfacts.h"
#include "runtime/listener.h"
#include "runtime/settings.h"
#include "runtime/xalloc.h"

/* A module's file name may have either: kmod takes "-" for "_". */
static bool
same_name(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]))
			return false;
	return b[len] == '\0';
}

/* Is the module in a list of "kernel/.../NAME.ko[.xz][: ...]" lines? */
static bool
listed(const char *release, const char *list, const char *module)
{
	char path[256], text[4096];
	AUTO_FCLOSE FILE *f = NULL;
	const char *name;

	snprintf(path, sizeof(path), "/lib/modules/%s/%s", release, list);
	f = fopen(path, "re");
	while (f != NULL && fgets(text, sizeof(text), f) != NULL) {
		text[strcspn(text, ":\n")] = '\0';
		name = strrchr(text, '/');
		name = name != NULL ? name + 1 : text;
		if (same_name(name, module, strcspn(name, ".")))
			return true;
	}
	return false;
}

static bool
is_loaded(const char *module)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	return access(path, F_OK) == 0;
}

static enum check_module
find_module(const char *module)
{
	struct utsname u;

	if (is_loaded(module))
		return CHECK_MODULE_LOADED;
	if (uname(&u) == -1)
		return CHECK_MODULE_NONE;
	if (listed(u.release, "modules.builtin", module))
		return CHECK_MODULE_LOADED;
	return listed(u.release, "modules.dep", module) ? CHECK_MODULE_FILE
							: CHECK_MODULE_NONE;
}

__attribute__((format(printf, 2, 3))) static void
fails(struct check_fact *fact, const char *fmt, ...)
{
	va_list ap;

	fact->works = false;
	va_start(ap, fmt);
	vsnprintf(fact->why, sizeof(fact->why), fmt, ap);
	va_end(ap);
}

static void
works(struct check_fact *fact, const char *path)
{
	fact->works = true;
	snprintf(fact->why, sizeof(fact->why), "%s", path);
}

static void
ask_kvm(struct check_facts *f, const struct settings *s)
{
	struct utsname u;
	const char *why = NULL;
	struct err err = {""};

	f->kvm_forced = s->accel == VM_ACCEL_KVM;
	f->kvm_refused = s->accel == VM_ACCEL_TCG;
	if (f->kvm_refused || uname(&u) == -1)
		return;
	if (accel_probe(VM_ACCEL_AUTO, u.machine, &f->kvm.works, &why, &err) ==
	    -1)
		why = err.msg;
	if (!f->kvm.works)
		fails(&f->kvm, "%s", why != NULL ? why : "it does not work");
}

/* The way the supervisor goes: a CID taken, a socket of the family. */
static void
ask_vsock(struct check_fact *fact)
{
	AUTO_CLOSE int fd = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC);
	AUTO_CLOSE int s = -1;
	uint32_t r = 0;
	uint64_t cid;

	if (fd == -1) {
		fails(fact, "/dev/vhost-vsock: %s", strerror(errno));
		return;
	}
	if (getrandom(&r, sizeof(r), 0) == -1)
		r = (uint32_t)getpid();
	cid = (r & 0x7fffffff) | 0x10000;
	if (ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, &cid) == -1 &&
	    errno != EADDRINUSE)
		fails(fact, "/dev/vhost-vsock: %s", strerror(errno));
	else if ((s = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		fails(fact, "vsock sockets: %s", strerror(errno));
	else
		works(fact, "/dev/vhost-vsock");
}

static void
ask_device(struct check_fact *fact, const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd == -1)
		fails(fact, "%s: %s", path, strerror(errno));
	else
		works(fact, path);
}

/* Transports that can have the host's side of vsock: only one can. */
static const char *
find_rival(void)
{
	static const char vmci[] = "vmw_vsock_vmci_transport";

	return is_loaded(vmci) && !is_loaded("vhost_vsock") ? vmci : NULL;
}

/* runq loads it when a container needs it: a file is as good. */
static void
ask_macvtap(struct check_facts *f)
{
	f->macvtap_module = find_module("macvtap");
	if (f->macvtap_module != CHECK_MODULE_NONE ||
	    hostfacts_char_major("macvtap") != -1)
		works(&f->macvtap, "macvtap");
	else
		fails(&f->macvtap, "the kernel has no macvtap");
}

static void
ask_certificates(struct check_fact *fact, const struct settings *s)
{
	static const char *const files[] = {"ca.pem", "cert.pem", "key.pem"};
	AUTO_FREE char *server = listener_certs(s->image_dir, NULL);
	const char *const dirs[] = {server, RUNQ_PREFIX};
	char path[512];

	for (size_t i = 0; i < 6; i++) {
		snprintf(
		    path, sizeof(path), "%s/%s", dirs[i / 3], files[i % 3]);
		if (access(path, R_OK) == -1) {
			fails(fact, "%s: %s", path, strerror(errno));
			return;
		}
	}
	works(fact, RUNQ_PREFIX);
}

static void
ask_installation(struct check_facts *f, const struct settings *s)
{
	struct hostfacts h = {.macvtap_major = -1};
	struct utsname u;
	struct err err = {""};
	AUTO_FREE char *delegate = delegate_find(s->runc, &err);
	AUTO_FREE char *image = NULL;

	hostfacts_find_guests(&h, s);
	image = xasprintf("%s, for guests of %s", s->image_dir, h.guests);
	if (delegate != NULL)
		works(&f->delegate, delegate);
	else
		fails(&f->delegate, "%s", err.msg);
	if (uname(&u) == 0 &&
	    hostfacts_check_image(s->image_dir, u.machine, s->rootfs, &err) ==
		0)
		works(&f->image, image);
	else
		fails(&f->image, "%s", err.msg);
	ask_certificates(&f->exec, s);
}

/* See cgroups(7): version 1 mounts its controllers below a tmpfs. */
static int
cgroup_version(void)
{
	struct statfs fs;

	if (statfs("/sys/fs/cgroup", &fs) == -1)
		return 0;
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return 2;
	return fs.f_type == TMPFS_MAGIC ? 1 : 0;
}

void
check_collect(struct check_facts *f, const struct settings *s)
{
	*f = (struct check_facts){.root = geteuid() == 0};
	ask_kvm(f, s);
	ask_vsock(&f->vsock);
	f->vhost_vsock_module = find_module("vhost_vsock");
	f->vsock_rival = find_rival();
	ask_device(&f->vhost_net, "/dev/vhost-net");
	f->vhost_net_module = find_module("vhost_net");
	ask_macvtap(f);
	ask_installation(f, s);
	f->cgroup = cgroup_version();
}
