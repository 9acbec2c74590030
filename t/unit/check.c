/* SPDX-License-Identifier: Apache-2.0
 * The report of the command check: what each state of a host says, and when
 * the exit code is 1. */
#include "runtime/check.h"

#include "t/tap.h"

static char text[16384];
static int code;

static void
report(const struct check_facts *f)
{
	FILE *out = fmemopen(text, sizeof text, "w");

	text[0] = '\0';
	code = check_report(f, out);
	fclose(out);
}

/* A host on which all is well. */
static struct check_facts
good(void)
{
	struct check_facts f = {.root = true, .cgroup = 2};

	f.kvm.works = f.vsock.works = f.vhost_net.works = true;
	f.macvtap.works = f.image.works = f.delegate.works = true;
	f.exec.works = true;
	return f;
}

static void
because(struct check_fact *fact, const char *why)
{
	fact->works = false;
	snprintf(fact->why, sizeof fact->why, "%s", why);
}

/* The report has the line, and the exit code is as it should be. */
static void
says(const struct check_facts *f, int want, const char *line, const char *name)
{
	report(f);
	if (!ok(code == want && strstr(text, line) != NULL, "%s", name))
		printf("# code %d, want %d and \"%s\" in:\n# %s\n", code, want,
		    line, text);
}

static void
test_good(void)
{
	struct check_facts f = good();

	says(&f, 0, "/dev/kvm runs guests", "all is well");
	ok(strstr(text, "MISSING") == NULL && strstr(text, "to get it") == NULL,
	    "nothing is missing, nothing is to be got");
	says(&f, 0, "version 2", "cgroup v2");
	f.cgroup = 1;
	says(&f, 0, "version 1", "cgroup v1");
	f.cgroup = 0;
	says(&f, 1, "/sys/fs/cgroup: nothing", "no cgroup file system");
}

static void
test_kvm(void)
{
	struct check_facts f = good();

	because(&f.kvm, "the CPU offers no vmx or svm");
	says(&f, 0, "vmx or svm; VMs are emulated", "no KVM: emulated");
	ok(strstr(text, "firmware") != NULL, "and how to get it");
	f.kvm_forced = true;
	says(&f, 1, "--accel kvm wants it", "no KVM, but --accel kvm");
	f = good();
	f.kvm.works = false;
	f.kvm_refused = true;
	says(&f, 0, "--accel tcg", "KVM is not asked");
}

static void
test_vsock(void)
{
	struct check_facts f = good();

	because(&f.vsock, "/dev/vhost-vsock: No such file or directory");
	f.vhost_vsock_module = CHECK_MODULE_FILE;
	says(&f, 0, "virtio-serial port", "no vsock: a serial port");
	says(&f, 0,
	    "modprobe vhost_vsock; and for the next boot: "
	    "echo vhost_vsock >/etc/modules-load.d/vhost_vsock.conf",
	    "the module is there: modprobe");
	f.vhost_vsock_module = CHECK_MODULE_NONE;
	says(&f, 0, "a kernel that has the module vhost_vsock",
	    "the module is not there: another kernel");
	f.vsock_rival = "vmw_vsock_vmci_transport";
	says(&f, 0, "rmmod vmw_vsock_vmci_transport",
	    "another transport has its place");
	f.vsock_rival = NULL;
	f.vhost_vsock_module = CHECK_MODULE_LOADED;
	report(&f);
	ok(strstr(text, "modprobe") == NULL, "loaded: no modprobe helps");
}

static void
test_net(void)
{
	struct check_facts f = good();

	because(&f.macvtap, "the kernel has no macvtap");
	f.macvtap_module = CHECK_MODULE_NONE;
	says(&f, 1, "only --network none works", "no macvtap");
	f = good();
	because(&f.vhost_net, "/dev/vhost-net: Permission denied");
	f.vhost_net_module = CHECK_MODULE_FILE;
	says(&f, 0, "QEMU moves the packets", "no vhost-net");
	says(&f, 0, "modprobe vhost_net", "the module's name has no dash");
}

static void
test_installation(void)
{
	struct check_facts f = good();

	because(&f.image, "/x/boot/vmlinuz: the VM image is not assembled");
	says(&f, 1, "MISSING  /x/boot/vmlinuz", "no image");
	f = good();
	because(&f.delegate, "--runc: no \"runc\" in PATH");
	says(&f, 1, "no \"runc\" in PATH", "no delegate");
	f = good();
	because(&f.exec, "/x/certs/ca.pem: No such file or directory");
	says(&f, 0, "docker exec works without", "no certificates");
	ok(strstr(text, "mkcerts") != NULL, "and how to get them");
	f = good();
	f.root = false;
	says(&f, 1, "not root", "not root");
}

int
main(void)
{
	test_good();
	test_kvm();
	test_vsock();
	test_net();
	test_installation();
	return done_testing();
}
