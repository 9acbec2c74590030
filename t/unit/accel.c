/* SPDX-License-Identifier: Apache-2.0
 * The choice of the accelerator: what /proc/cpuinfo says, what is forced, and
 * a probe that neither fails silently nor hangs. */
#include "lib/accel.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/kvm_probe.h"
#include "t/tap.h"

static void
test_cpuinfo(void)
{
	static const struct {
		const char *name, *machine, *text;
		bool offers;
	} cases[] = {
	    {"svm", "x86_64",
		"processor\t: 0\nflags\t\t: fpu svm lm\nbugs\t: x\n", true},
	    {"vmx, last", "x86_64", "flags\t\t: fpu vme vmx\n", true},
	    {"vmx, first, no newline", "x86_64", "flags: vmx", true},
	    {"neither", "x86_64", "flags\t\t: fpu vme lm\n", false},
	    {"part of a word", "x86_64", "flags : svm_lock xvmx\n", false},
	    {"of another line", "x86_64",
		"vmx flags\t: vnmi svm\nflags\t\t: fpu\nbugs\t: svm\n", false},
	    {"flags of the second CPU do not count", "x86_64",
		"flags\t: fpu\n\nflags\t: fpu svm\n", false},
	    {"no flags", "x86_64", "processor\t: 0\n", false},
	    {"empty", "x86_64", "", false},
	    {"sie", "s390x", "vendor_id : IBM\nfeatures\t: esan3 sie \n", true},
	    {"no sie", "s390x", "features\t: esan3 zarch\n", false},
	    {"flags of another machine", "s390x", "flags : svm sie\n", false},
	    {"no table", "riscv64", "flags : svm\nfeatures : sie\n", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ok(accel_cpu_offers(cases[i].text, cases[i].machine) ==
			cases[i].offers,
		    "cpuinfo: %s", cases[i].name);
}

static void
test_choice(void)
{
	struct utsname uts;
	const char *why = "unset", *other;
	struct err err = {""};
	bool kvm = true;

	uname(&uts);
	other = strcmp(uts.machine, "s390x") == 0 ? "x86_64" : "s390x";
	ok(accel_probe(VM_ACCEL_TCG, uts.machine, &kvm, &why, &err) == 0 &&
		!kvm && why == NULL,
	    "tcg: forced, nothing to say");
	ok(accel_probe(VM_ACCEL_AUTO, other, &kvm, &why, &err) == 0 && !kvm &&
		why != NULL && strstr(why, other) != NULL,
	    "auto: a guest of another architecture has TCG");
	ok(accel_probe(VM_ACCEL_KVM, other, &kvm, &why, &err) == -1 &&
		strstr(err.msg, "accel=kvm: /dev/kvm: no guest of") != NULL,
	    "kvm: another architecture is an error");
	ok(accel_probe(VM_ACCEL_AUTO, uts.machine, &kvm, &why, &err) == 0 &&
		kvm == (why == NULL),
	    "auto: KVM, or a reason");
	printf("# %s\n", kvm ? "KVM" : why);
	is_int(accel_probe(VM_ACCEL_KVM, uts.machine, &kvm, &why, &err),
	    kvm ? 0 : -1, "kvm: forced, the same verdict");
	printf("# %s\n", err.msg);
}

/* Opening a file under a lease blocks until its holder, who does not react
 * here, gives it up (fcntl(2), F_SETLEASE). */
static void
test_hang(void)
{
	char path[] = "/tmp/accel.XXXXXX";
	struct err err = {""};
	int fd = mkstemp(path);

	signal(SIGIO, SIG_IGN);
	if (fd == -1 || fcntl(fd, F_SETLEASE, F_WRLCK) == -1)
		skip("a device that hangs", "no leases on /tmp");
	else if (!ok(kvm_probe(path, true, 50, &err) == -1 &&
			 strstr(err.msg, ": no answer within 50 ms") != NULL,
		     "a device that hangs"))
		printf("# %s\n", err.msg);
	close(fd);
	unlink(path);
}

static void
test_probe(void)
{
	struct err err = {""};

	ok(kvm_probe("/nonexistent", true, 5000, &err) == -1 &&
		strcmp(err.msg,
		    "/nonexistent: open: No such file or "
		    "directory") == 0,
	    "%s", err.msg);
	ok(kvm_probe("/dev/null", true, 5000, &err) == -1 &&
		strstr(err.msg, "/dev/null: KVM_GET_API_VERSION: ") != NULL,
	    "%s", err.msg);
}

int
main(void)
{
	test_cpuinfo();
	test_choice();
	test_probe();
	test_hang();
	return done_testing();
}
