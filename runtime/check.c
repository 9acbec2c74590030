/* SPDX-License-Identifier: Apache-2.0
 * The command check: the report. */
#include "runtime/check.h"

#include <stdarg.h>

/* What a missing thing costs. */
enum cost {
	COST_NOTHING,
	COST_LESS,   /* there is a fallback */
	COST_CANNOT, /* without it no container runs */
};

struct report {
	FILE *out;
	bool failed;
};

__attribute__((format(printf, 4, 5))) static void
line(struct report *r, const char *name, enum cost cost, const char *fmt, ...)
{
	static const char *const words[] = {"yes", "no", "MISSING"};
	va_list ap;

	fprintf(r->out, "%-10s %-8s ", name, words[cost]);
	va_start(ap, fmt);
	vfprintf(r->out, fmt, ap);
	va_end(ap);
	fputc('\n', r->out);
	if (cost == COST_CANNOT)
		r->failed = true;
}

__attribute__((format(printf, 2, 3))) static void
hint(struct report *r, const char *fmt, ...)
{
	va_list ap;

	fprintf(r->out, "%-19s ", "");
	va_start(ap, fmt);
	vfprintf(r->out, fmt, ap);
	va_end(ap);
	fputc('\n', r->out);
}

/* How to get a module that is not loaded. */
static void
hint_module(struct report *r, enum check_module where, const char *module)
{
	if (where == CHECK_MODULE_FILE)
		hint(r,
		    "to get it: modprobe %s; and for the next boot: "
		    "echo %s >/etc/modules-load.d/%s.conf",
		    module, module, module);
	else if (where == CHECK_MODULE_NONE)
		hint(r,
		    "to get it: a kernel that has the module %s; this one has "
		    "none",
		    module);
}

static void
report_kvm(struct report *r, const struct check_facts *f)
{
	if (f->kvm_refused) {
		line(r, "kvm", COST_LESS,
		    "not asked: --accel tcg; VMs are emulated, slowly");
		return;
	}
	if (f->kvm.works) {
		line(
		    r, "kvm", COST_NOTHING, "/dev/kvm runs guests; VMs use it");
		return;
	}
	line(r, "kvm", f->kvm_forced ? COST_CANNOT : COST_LESS, "%s; %s",
	    f->kvm.why,
	    f->kvm_forced ? "and --accel kvm wants it"
			  : "VMs are emulated, slowly");
	hint(r,
	    "to get it: virtualisation switched on in the firmware, or in the "
	    "VM that this host is; modprobe kvm_intel or kvm_amd");
}

static void
report_vsock(struct report *r, const struct check_facts *f)
{
	if (f->vsock.works) {
		line(r, "vsock", COST_NOTHING,
		    "/dev/vhost-vsock; the channel to the VM uses it");
		return;
	}
	line(r, "vsock", COST_LESS,
	    "%s; the channel to the VM is a virtio-serial port", f->vsock.why);
	if (f->vsock_rival != NULL)
		hint(r,
		    "to get it: rmmod %s, which has its place; then modprobe "
		    "vhost_vsock",
		    f->vsock_rival);
	else
		hint_module(r, f->vhost_vsock_module, "vhost_vsock");
}

static void
report_net(struct report *r, const struct check_facts *f)
{
	if (f->macvtap.works) {
		line(r, "macvtap", COST_NOTHING,
		    "networks of containers reach the VM");
	} else {
		line(r, "macvtap", COST_CANNOT, "%s; only --network none works",
		    f->macvtap.why);
		hint_module(r, f->macvtap_module, "macvtap");
	}
	if (f->vhost_net.works) {
		line(r, "vhost-net", COST_NOTHING,
		    "/dev/vhost-net; networks use it");
	} else {
		line(r, "vhost-net", COST_LESS,
		    "%s; QEMU moves the packets, slower", f->vhost_net.why);
		hint_module(r, f->vhost_net_module, "vhost_net");
	}
}

static void
report_installation(struct report *r, const struct check_facts *f)
{
	if (f->image.works)
		line(r, "image", COST_NOTHING, "%s", f->image.why);
	else
		line(r, "image", COST_CANNOT, "%s", f->image.why);
	if (f->delegate.works)
		line(r, "delegate", COST_NOTHING, "%s", f->delegate.why);
	else
		line(r, "delegate", COST_CANNOT, "%s", f->delegate.why);
	if (f->exec.works) {
		line(r, "runq-exec", COST_NOTHING, "certificates in %s",
		    f->exec.why);
	} else {
		line(r, "runq-exec", COST_LESS, "%s; docker exec works without",
		    f->exec.why);
		hint(r, "to get it: %s/image/mkcerts", RUNQ_PREFIX);
	}
}

int
check_report(const struct check_facts *f, FILE *out)
{
	struct report r = {.out = out};

	if (!f->root)
		line(&r, "root", COST_CANNOT,
		    "not root: what follows is what this user can see");
	report_kvm(&r, f);
	report_vsock(&r, f);
	report_net(&r, f);
	if (f->cgroup == 0)
		line(&r, "cgroup", COST_CANNOT,
		    "/sys/fs/cgroup: nothing is mounted there");
	else
		line(&r, "cgroup", COST_NOTHING, "version %d", f->cgroup);
	report_installation(&r, f);
	return r.failed ? 1 : 0;
}
