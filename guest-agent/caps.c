/* SPDX-License-Identifier: Apache-2.0
 * Capability sets by name. */
#include "guest-agent/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/json.h"

/* In the order of linux/capability.h. */
static const char *const names[] = {"CAP_CHOWN", "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
    "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT",
    "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
    "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON",
    "CAP_BPF", "CAP_CHECKPOINT_RESTORE"};
#define N_NAMES (sizeof(names) / sizeof(names[0]))
_Static_assert(N_NAMES == CAP_CHECKPOINT_RESTORE + 1, "one name each");

static int
find(const char *name)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (strcmp(name, names[i]) == 0)
			return (int)i;
	return -1;
}

static int
read_set(struct json_object *o, const char *where, const char *key,
    uint64_t *set, struct err *err)
{
	AUTO_FREE const char **v = NULL;
	size_t n;

	*set = 0;
	if (json_opt_strv(o, where, key, &v, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int cap = find(v[i]);

		if (cap == -1)
			return err_set(err,
			    "%s.%s: \"%.64s\" is not a capability "
			    "(allowed: CAP_CHOWN to %s)",
			    where, key, v[i], names[N_NAMES - 1]);
		*set |= UINT64_C(1) << cap;
	}
	return 0;
}

int
caps_read(struct json_object *o, const char *where, struct cap_sets *out,
    struct err *err)
{
	if (read_set(o, where, "bounding", &out->bounding, err) == -1 ||
	    read_set(o, where, "effective", &out->effective, err) == -1 ||
	    read_set(o, where, "inheritable", &out->inheritable, err) == -1 ||
	    read_set(o, where, "permitted", &out->permitted, err) == -1 ||
	    read_set(o, where, "ambient", &out->ambient, err) == -1)
		return -1;
	return 0;
}

/* All capabilities of the running kernel: it answers EINVAL beyond them. */
static uint64_t
of_the_kernel(void)
{
	uint64_t all = 0;

	for (unsigned cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == -1)
			break;
		all |= UINT64_C(1) << cap;
	}
	return all;
}

int
caps_before_user(const struct cap_sets *caps, struct err *err)
{
	uint64_t all = of_the_kernel();

	for (unsigned cap = 0; cap < 64; cap++)
		if ((all & ~caps->bounding) >> cap & 1 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			return err_sys(err, "drop capability %u", cap);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1)
		return err_sys(err, "keep capabilities");
	return 0;
}

static int
raise_ambient(uint64_t set, struct err *err)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1)
		return err_sys(err, "clear ambient capabilities");
	for (unsigned cap = 0; cap < 64; cap++) {
		if ((set >> cap & 1) == 0)
			continue;
		/* EPERM: not permitted and inheritable, so it cannot be ambient
		 * (capabilities(7)); runc goes on without it, too */
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) ==
			-1 &&
		    errno != EPERM)
			return err_sys(err, "raise ambient capability %u", cap);
	}
	return 0;
}

int
caps_after_user(const struct cap_sets *caps, struct err *err)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	uint64_t all = of_the_kernel();

	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == -1)
		return err_sys(err, "keep capabilities");
	for (unsigned i = 0; i < 2; i++) {
		data[i].effective =
		    (uint32_t)((caps->effective & all) >> 32 * i);
		data[i].permitted =
		    (uint32_t)((caps->permitted & all) >> 32 * i);
		data[i].inheritable =
		    (uint32_t)((caps->inheritable & all) >> 32 * i);
	}
	if (syscall(SYS_capset, &head, data) == -1)
		return err_sys(err, "set capabilities");
	return raise_ambient(caps->ambient & all, err);
}
