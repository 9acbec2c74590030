/* SPDX-License-Identifier: Apache-2.0
 * KVM when it works. */
#include "lib/accel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/kvm_probe.h"

#define PATH_KVM "/dev/kvm"
#define PATH_CPUINFO "/proc/cpuinfo"

/* The first CPU of the list is enough, and fits. */
#define CPUINFO_MAX 65536

/* A VM whose kernel emulates the instructions of virtualisation takes its
 * time; one that hangs takes for ever. */
#define PROBE_MS 5000

/* What tells in /proc/cpuinfo that a host's CPU runs guests. */
static const struct host {
	const char *machine; /* uname -m */
	bool x86;
	const char *key;
	const char *features[3]; /* any of them */
	const char *sentence;
} hosts[] = {
    {"x86_64", true, "flags", {"vmx", "svm", NULL},
	PATH_KVM ": the CPU offers no vmx or svm"},
    {"s390x", false, "features", {"sie", NULL},
	PATH_KVM ": the CPU offers no sie"},
};

static const struct host *
find_host(const char *machine)
{
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		if (strcmp(hosts[i].machine, machine) == 0)
			return &hosts[i];
	return NULL;
}

/* Is word among the blank-separated ones of text up to its newline? */
static bool
line_has(const char *text, const char *word)
{
	size_t len = strlen(word), n;

	for (;;) {
		text += strspn(text, " \t");
		if ((n = strcspn(text, " \t\n")) == 0)
			return false;
		if (n == len && memcmp(text, word, n) == 0)
			return true;
		text += n;
	}
}

/* The values of the first line "key : values", or NULL. */
static const char *
find_values(const char *cpuinfo, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = cpuinfo; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, key, len) != 0)
			continue;
		p += len;
		p += strspn(p, " \t");
		if (*p == ':')
			return p + 1;
	}
	return NULL;
}

bool
accel_cpu_offers(const char *cpuinfo, const char *machine)
{
	const struct host *host = find_host(machine);
	const char *values;

	if (host == NULL || (values = find_values(cpuinfo, host->key)) == NULL)
		return false;
	for (size_t i = 0; host->features[i] != NULL; i++)
		if (line_has(values, host->features[i]))
			return true;
	return false;
}

static int
read_cpuinfo(char *text, size_t size, struct err *err)
{
	AUTO_CLOSE int fd = open(PATH_CPUINFO, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 0;

	if (fd == -1)
		return err_sys(err, "open " PATH_CPUINFO);
	while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	if (n == -1)
		return err_sys(err, "read " PATH_CPUINFO);
	text[len] = '\0';
	return 0;
}

/* 0 when a guest of guest_arch runs under KVM here, else -1 and the reason. */
static int
check_kvm(const char *guest_arch, struct err *err)
{
	AUTO_FREE char *cpuinfo = malloc(CPUINFO_MAX);
	const struct host *host;
	struct utsname uts;

	if (cpuinfo == NULL || uname(&uts) == -1)
		return err_sys(err, PATH_KVM);
	host = find_host(uts.machine);
	if (host == NULL || strcmp(guest_arch, uts.machine) != 0)
		return err_set(err,
		    PATH_KVM ": no guest of %s runs on a host of %s",
		    guest_arch, uts.machine);
	if (read_cpuinfo(cpuinfo, CPUINFO_MAX, err) == -1)
		return -1;
	if (!accel_cpu_offers(cpuinfo, uts.machine))
		return err_set(err, "%s", host->sentence);
	return kvm_probe(PATH_KVM, host->x86, PROBE_MS, err);
}

int
accel_probe(enum vm_accel wanted, const char *guest_arch, bool *kvm,
    const char **why, struct err *err)
{
	*kvm = false;
	*why = NULL;
	if (wanted == VM_ACCEL_TCG)
		return 0;
	*kvm = check_kvm(guest_arch, err) == 0;
	if (*kvm)
		return 0;
	if (wanted == VM_ACCEL_KVM)
		return err_prefix(err, "accel=kvm");
	*why = err->msg;
	return 0;
}
