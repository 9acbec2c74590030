/* SPDX-License-Identifier: Apache-2.0
 * What may stand in a VM spec: names and strings, checked where they come in
 * and again where the spec is read. */
#include "lib/vm_spec.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ID_MAX 1024
#define CPUARGS_MAX 1024

#define ALNUM                                                                  \
	"abcdefghijklmnopqrstuvwxyz"                                           \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                           \
	"0123456789"

static const char *const accel_names[] = {"auto", "kvm", "tcg"};
static const char *const rootfs_names[] = {"virtiofs", "9p"};
static const char *const archs[] = {"x86_64", "s390x"};
/* Documentation/filesystems/9p.rst of Linux 6.1, "cache" */
static const char *const caches_9p[] = {"none", "mmap", "loose", "fscache"};
/* in the order of the enums */
static const char *const disk_formats[] = {"raw", "qcow2"};
static const char *const disk_caches[] = {
    "writeback", "writethrough", "none", "unsafe"};
static const char *const fstypes[] = {"ext2", "ext3", "ext4", "xfs", "btrfs"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The index of s in names, or -1 with the names that are allowed. */
static int
name_index(const char *const *names, size_t n, const char *s, struct err *err)
{
	char list[128] = "";

	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], s) == 0)
			return (int)i;
		strncat(list,
		    i == 0	    ? ""
			: i + 1 < n ? ", "
				    : " or ",
		    sizeof(list) - strlen(list) - 1);
		strncat(list, names[i], sizeof(list) - strlen(list) - 1);
	}
	return err_set(err, "\"%.64s\", must be %s", s, list);
}

const char *
vm_accel_name(enum vm_accel a)
{
	return accel_names[a];
}

const char *
vm_rootfs_name(enum vm_rootfs r)
{
	return rootfs_names[r];
}

int
vm_accel_parse(const char *s, enum vm_accel *out, struct err *err)
{
	int i = name_index(accel_names, COUNT(accel_names), s, err);

	if (i == -1)
		return -1;
	*out = (enum vm_accel)i;
	return 0;
}

int
vm_rootfs_parse(const char *s, enum vm_rootfs *out, struct err *err)
{
	int i = name_index(rootfs_names, COUNT(rootfs_names), s, err);

	if (i == -1)
		return -1;
	*out = (enum vm_rootfs)i;
	return 0;
}

int
vm_arch_check(const char *s, struct err *err)
{
	return name_index(archs, COUNT(archs), s, err) == -1 ? -1 : 0;
}

int
vm_9pcache_check(const char *s, struct err *err)
{
	return name_index(caches_9p, COUNT(caches_9p), s, err) == -1 ? -1 : 0;
}

/* One item of a -cpu string: [s, s + n). */
static bool
cpuargs_item(const char *s, size_t n, bool model)
{
	size_t name;

	if (!model && n > 0 && (s[0] == '+' || s[0] == '-')) {
		name = strspn(s + 1, ALNUM "_.-");
		return name > 0 && name + 1 == n;
	}
	name = strspn(s, ALNUM "_.-");
	if (name == 0 || s[0] == '-')
		return false;
	if (model) /* "help" is none: QEMU would print a list */
		return name == n && (n != 4 || memcmp(s, "help", 4) != 0);
	return s[name] == '=' && n > name + 1 &&
	    strspn(s + name + 1, ALNUM "_.+-") == n - name - 1;
}

int
vm_cpuargs_check(const char *s, struct err *err)
{
	const char *p = s;

	if (strlen(s) > CPUARGS_MAX)
		return err_set(err, "longer than %d bytes", CPUARGS_MAX);
	for (;; p++) {
		size_t n = strcspn(p, ",");

		if (!cpuargs_item(p, n, p == s))
			return err_set(err,
			    "\"%.64s\", must be a CPU model and its features: "
			    "model[,+feature|,-feature|,name=value]... of "
			    "letters, digits, \"_\", \".\", \"-\"",
			    s);
		p += n;
		if (*p == '\0')
			return 0;
	}
}

int
vm_apuuid_check(const char *s, struct err *err)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i;

	for (i = 0; form[i] != '\0' && s[i] != '\0'; i++)
		if (form[i] == '-' ? s[i] != '-'
				   : !isxdigit((unsigned char)s[i]))
			break;
	if (form[i] != '\0' || s[i] != '\0')
		return err_set(
		    err, "\"%.64s\", must be a UUID like %s", s, form);
	return 0;
}

int
vm_id_check(const char *id, struct err *err)
{
	size_t n = strlen(id);

	if (n == 0 || n > ID_MAX || strspn(id, ALNUM "_.+-") != n ||
	    strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return err_set(err,
		    "\"%.64s\", must be 1 to %d letters, digits or \"_.+-\"",
		    id, ID_MAX);
	return 0;
}

const char *
vm_disk_format_name(enum vm_disk_format f)
{
	return disk_formats[f];
}

const char *
vm_disk_cache_name(enum vm_disk_cache c)
{
	return disk_caches[c];
}

int
vm_disk_format_parse(const char *s, enum vm_disk_format *out, struct err *err)
{
	int i = name_index(disk_formats, COUNT(disk_formats), s, err);

	if (i == -1)
		return -1;
	*out = (enum vm_disk_format)i;
	return 0;
}

int
vm_disk_cache_parse(const char *s, enum vm_disk_cache *out, struct err *err)
{
	int i = name_index(disk_caches, COUNT(disk_caches), s, err);

	if (i == -1)
		return -1;
	*out = (enum vm_disk_cache)i;
	return 0;
}

int
vm_fstype_check(const char *s, struct err *err)
{
	return name_index(fstypes, COUNT(fstypes), s, err) == -1 ? -1 : 0;
}

int
vm_disk_id_check(const char *s, struct err *err)
{
	size_t n = strlen(s);

	if (n == 0 || n > VM_DISK_ID_MAX || strspn(s, ALNUM "_-") != n)
		return err_set(err,
		    "\"%.64s\", must be 1 to %d letters, digits, \"-\" or "
		    "\"_\"",
		    s, VM_DISK_ID_MAX);
	return 0;
}
