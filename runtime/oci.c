/* SPDX-License-Identifier: Apache-2.0
 * Names of the OCI runtime-spec that runq knows. */
#include "runtime/oci.h"

#include <stddef.h>
#include <string.h>

const char *const oci_capabilities[] = {"CAP_AUDIT_CONTROL", "CAP_AUDIT_READ",
    "CAP_AUDIT_WRITE", "CAP_BLOCK_SUSPEND", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
    "CAP_FSETID", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_KILL", "CAP_LEASE",
    "CAP_LINUX_IMMUTABLE", "CAP_MAC_ADMIN", "CAP_MAC_OVERRIDE", "CAP_MKNOD",
    "CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_RAW",
    "CAP_PERFMON", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
    "CAP_SYSLOG", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_CHROOT",
    "CAP_SYS_MODULE", "CAP_SYS_NICE", "CAP_SYS_PACCT", "CAP_SYS_PTRACE",
    "CAP_SYS_RAWIO", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG",
    "CAP_WAKE_ALARM", NULL};

const char *const oci_namespaces[] = {
    "cgroup", "ipc", "mount", "network", "pid", "uts", NULL};

const char *const oci_hooks[] = {
    "prestart", "createRuntime", "poststart", "poststop", NULL};

const char *const oci_seccomp_actions[] = {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO",
    "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP", NULL};

const char *const oci_seccomp_operators[] = {"SCMP_CMP_EQ", "SCMP_CMP_GE",
    "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ",
    "SCMP_CMP_NE", NULL};

const char *const oci_seccomp_archs[] = {"SCMP_ARCH_S390", "SCMP_ARCH_S390X",
    "SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", NULL};

bool
oci_known(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

/*
 * Propagation is the host's: what the engine mounts below a volume reaches
 * the share. The other way nothing is ever mounted, so shared is slave.
 */
const struct oci_option oci_mount_options[] = {
    {"async", OCI_OPTION_BOTH, NULL, NULL},
    {"atime", OCI_OPTION_BOTH, NULL, NULL},
    {"bind", OCI_OPTION_HOST, NULL, NULL},
    {"defaults", OCI_OPTION_BOTH, NULL, NULL},
    {"dev", OCI_OPTION_BOTH, NULL, NULL},
    {"diratime", OCI_OPTION_BOTH, NULL, NULL},
    {"dirsync", OCI_OPTION_BOTH, NULL, NULL},
    {"exec", OCI_OPTION_BOTH, NULL, NULL},
    {"idmap", OCI_OPTION_REFUSED, NULL, NULL},
    {"iversion", OCI_OPTION_BOTH, NULL, NULL},
    {"lazytime", OCI_OPTION_BOTH, NULL, NULL},
    {"loud", OCI_OPTION_BOTH, NULL, NULL},
    {"mand", OCI_OPTION_BOTH, NULL, NULL},
    {"noatime", OCI_OPTION_BOTH, NULL, NULL},
    {"nodev", OCI_OPTION_BOTH, NULL, NULL},
    {"nodiratime", OCI_OPTION_BOTH, NULL, NULL},
    {"noexec", OCI_OPTION_BOTH, NULL, NULL},
    {"noiversion", OCI_OPTION_BOTH, NULL, NULL},
    {"nolazytime", OCI_OPTION_BOTH, NULL, NULL},
    {"nomand", OCI_OPTION_BOTH, NULL, NULL},
    {"norelatime", OCI_OPTION_BOTH, NULL, NULL},
    {"nostrictatime", OCI_OPTION_BOTH, NULL, NULL},
    {"nosuid", OCI_OPTION_BOTH, NULL, NULL},
    {"nosymfollow", OCI_OPTION_BOTH, NULL, NULL},
    {"private", OCI_OPTION_HOST, NULL, NULL},
    {"ratime", OCI_OPTION_BOTH, NULL, NULL},
    {"rbind", OCI_OPTION_HOST, NULL, NULL},
    {"rdev", OCI_OPTION_BOTH, NULL, NULL},
    {"rdiratime", OCI_OPTION_BOTH, NULL, NULL},
    {"relatime", OCI_OPTION_BOTH, NULL, NULL},
    {"rexec", OCI_OPTION_BOTH, NULL, NULL},
    {"ridmap", OCI_OPTION_REFUSED, NULL, NULL},
    {"rnoatime", OCI_OPTION_BOTH, NULL, NULL},
    {"rnodev", OCI_OPTION_BOTH, NULL, NULL},
    {"rnodiratime", OCI_OPTION_BOTH, NULL, NULL},
    {"rnoexec", OCI_OPTION_BOTH, NULL, NULL},
    {"rnorelatime", OCI_OPTION_BOTH, NULL, NULL},
    {"rnostrictatime", OCI_OPTION_BOTH, NULL, NULL},
    {"rnosuid", OCI_OPTION_BOTH, NULL, NULL},
    {"rnosymfollow", OCI_OPTION_BOTH, NULL, NULL},
    {"ro", OCI_OPTION_BOTH, NULL, NULL},
    {"rprivate", OCI_OPTION_HOST, NULL, NULL},
    {"rrelatime", OCI_OPTION_BOTH, NULL, NULL},
    {"rro", OCI_OPTION_BOTH, NULL, "ro"},
    {"rrw", OCI_OPTION_BOTH, NULL, NULL},
    {"rshared", OCI_OPTION_HOST, "rslave", NULL},
    {"rslave", OCI_OPTION_HOST, NULL, NULL},
    {"rstrictatime", OCI_OPTION_BOTH, NULL, NULL},
    {"rsuid", OCI_OPTION_BOTH, NULL, NULL},
    {"rsymfollow", OCI_OPTION_BOTH, NULL, NULL},
    {"runbindable", OCI_OPTION_HOST, "rprivate", NULL},
    {"rw", OCI_OPTION_BOTH, NULL, NULL},
    {"shared", OCI_OPTION_HOST, "slave", NULL},
    {"silent", OCI_OPTION_BOTH, NULL, NULL},
    {"slave", OCI_OPTION_HOST, NULL, NULL},
    {"strictatime", OCI_OPTION_BOTH, NULL, NULL},
    {"suid", OCI_OPTION_BOTH, NULL, NULL},
    {"symfollow", OCI_OPTION_BOTH, NULL, NULL},
    {"sync", OCI_OPTION_BOTH, NULL, NULL},
    {"tmpcopyup", OCI_OPTION_GUEST, NULL, NULL},
    {"unbindable", OCI_OPTION_HOST, "private", NULL},
    {NULL, OCI_OPTION_UNKNOWN, NULL, NULL},
};

const struct oci_option *
oci_mount_option(const char *name)
{
	for (const struct oci_option *o = oci_mount_options; o->name != NULL;
	     o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}
