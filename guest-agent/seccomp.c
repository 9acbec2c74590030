/* SPDX-License-Identifier: Apache-2.0
 * The OCI seccomp profile as a filter for the kernel. */
#include "guest-agent/seccomp.h"

#include <ctype.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest-agent/seccomp_enosys.h"
#include "guest-agent/seccomp_rule.h"
#include "lib/cleanup.h"
#include "lib/json.h"

#define ARCHES_MAX 32
#define RULES_MAX 65536
#define WHERE_MAX 64

/* More rules than this and a binary tree over the system calls pays off; with
 * few or none, libseccomp 2.5 makes a wrong one. */
#define TREE_MIN 32

/* A profile on its way: the caller owns ctx. */
struct compiler {
	scmp_filter_ctx ctx;
	uint32_t default_action;
	uint32_t arches[ARCHES_MAX];  /* those that the ENOSYS head covers */
	uint32_t largest[ARCHES_MAX]; /* per architecture; 0: none named */
	size_t n_arches;
	size_t rules;
	unsigned flags;
	bool clone_swapped; /* the profile's clone(2) is not ours */
};

static void
ctx_releasep(scmp_filter_ctx *ctx)
{
	if (*ctx != NULL)
		seccomp_release(*ctx);
}

/* TSYNC: the filter is installed before exec, by the only thread. */
static const struct {
	const char *name;
	unsigned flag;
} flags[] = {
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_TSYNC", 0},
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* "SCMP_ARCH_S390X" to its token: libseccomp knows it as "s390x". */
static int
read_arch(const char *name, uint32_t *arch, struct err *err)
{
	const char prefix[] = "SCMP_ARCH_";
	char low[32] = "";
	const char *p = name;

	if (strncmp(name, prefix, sizeof prefix - 1) == 0)
		p += sizeof prefix - 1;
	for (size_t i = 0; p != name && p[i] && i < sizeof low - 1; i++)
		low[i] = (char)(islower((unsigned char)p[i])
			? '?'
			: tolower((unsigned char)p[i]));
	*arch = seccomp_arch_resolve_name(low);
	if (*arch == 0)
		return err_set(err,
		    "seccomp.architectures: unknown architecture \"%.64s\"",
		    name);
	return 0;
}

static bool
arch_known(const struct compiler *c, uint32_t arch)
{
	for (size_t i = 0; i < c->n_arches; i++)
		if (c->arches[i] == arch)
			return true;
	return false;
}

/* Is clone(2)'s first argument the stack, the second the flags? Elsewhere it is
 * the other way round (clone(2), "C library/kernel differences"). */
static bool
clone_flags_second(uint32_t arch)
{
	return arch == SCMP_ARCH_S390 || arch == SCMP_ARCH_S390X;
}

static int
add_arches(struct compiler *c, struct json_object *profile, struct err *err)
{
	AUTO_FREE const char **names = NULL;
	const uint32_t native = seccomp_arch_native();
	bool foreign = true;
	size_t n;
	uint32_t arch;
	int r;

	if (json_opt_strv(
		profile, "seccomp", "architectures", &names, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (read_arch(names[i], &arch, err) == -1)
			return -1;
		foreign = foreign && arch != native;
		c->clone_swapped =
		    clone_flags_second(arch) != clone_flags_second(native);
		if (arch_known(c, arch))
			continue;
		/* -EDOM: of the other endianness, so nothing of it runs here */
		r = seccomp_arch_add(c->ctx, arch);
		if (r == -EDOM)
			continue;
		if (r != 0 && r != -EEXIST)
			return err_set(err,
			    "seccomp.architectures: \"%.64s\": %s", names[i],
			    strerror(-r));
		if (c->n_arches == ARCHES_MAX - 1)
			return err_set(err,
			    "seccomp.architectures: more than %d",
			    ARCHES_MAX - 1);
		c->arches[c->n_arches++] = arch;
	}
	/* The engine wrote the profile for its own machine; ours may be
	 * another, and libseccomp always filters the native one. */
	if (n > 0 && !arch_known(c, native))
		c->arches[c->n_arches++] = native;
	c->clone_swapped = c->clone_swapped && foreign;
	return 0;
}

static int
add_flags(struct compiler *c, struct json_object *profile, struct err *err)
{
	AUTO_FREE const char **names = NULL;
	size_t n, j;

	if (json_opt_strv(profile, "seccomp", "flags", &names, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		for (j = 0; j < COUNT(flags); j++)
			if (strcmp(names[i], flags[j].name) == 0)
				break;
		if (j == COUNT(flags))
			return err_set(err,
			    "seccomp.flags: unknown flag \"%.64s\"", names[i]);
		c->flags |= flags[j].flag;
	}
	return 0;
}

static int
add_call(struct compiler *c, const char *name, const struct seccomp_rule *rule,
    struct err *err)
{
	int nr = seccomp_syscall_resolve_name(name);
	unsigned step = rule->alternatives ? 1 : rule->n_cmps, i = 0;
	int r;

	if (nr == __NR_SCMP_ERROR)
		return 0;
	do {
		if (++c->rules > RULES_MAX)
			return err_set(err,
			    "seccomp.syscalls: more than %d rules", RULES_MAX);
		r = seccomp_rule_add_array(c->ctx, rule->action, nr, step,
		    step == 0 ? NULL : rule->cmps + i);
		if (r != 0)
			return err_set(err, "seccomp: rule for %.64s: %s", name,
			    strerror(-r));
		i += step;
	} while (i < rule->n_cmps);
	return 0;
}

static void
note_largest(struct compiler *c, const char *name)
{
	for (size_t i = 0; i < c->n_arches; i++) {
		int nr = seccomp_syscall_resolve_name_arch(c->arches[i], name);

		/* negative: unknown, or a pseudo number of libseccomp */
		if (nr > 0 && (uint32_t)nr > c->largest[i])
			c->largest[i] = (uint32_t)nr;
	}
}

static int
add_rule(struct compiler *c, struct json_object *o, const char *where,
    struct err *err)
{
	__attribute__((cleanup(seccomp_rule_free))) struct seccomp_rule rule;

	if (seccomp_rule_read(o, where, &rule, err) == -1)
		return -1;
	for (size_t i = 0; i < rule.n_names; i++) {
		bool swap =
		    c->clone_swapped && strcmp(rule.names[i], "clone") == 0;
		int r = 0;

		note_largest(c, rule.names[i]);
		if (swap)
			seccomp_rule_swap(&rule, 0, 1);
		/* libseccomp refuses a rule that says what the default says */
		if (rule.action != c->default_action)
			r = add_call(c, rule.names[i], &rule, err);
		if (swap)
			seccomp_rule_swap(&rule, 0, 1);
		if (r == -1)
			return -1;
	}
	return 0;
}

static int
add_rules(struct compiler *c, struct json_object *profile, struct err *err)
{
	struct json_object *rules = NULL;
	char where[WHERE_MAX];
	size_t n;

	if (json_opt_arr(profile, "seccomp", "syscalls", &rules, err) == -1)
		return -1;
	n = rules == NULL ? 0 : json_object_array_length(rules);
	for (size_t i = 0; i < n; i++) {
		snprintf(where, sizeof where, "seccomp.syscalls[%zu]", i);
		if (add_rule(c, json_object_array_get_idx(rules, i), where,
			err) == -1)
			return -1;
	}
	if (c->rules > TREE_MIN)
		seccomp_attr_set(c->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return 0;
}

/* A profile that permits what it does not name needs no ENOSYS; a tracer
 * answers for itself. */
static bool
permissive(uint32_t action)
{
	return action == SCMP_ACT_ALLOW || action == SCMP_ACT_LOG ||
	    (action & SECCOMP_RET_ACTION_FULL) == SCMP_ACT_TRACE(0);
}

/* ENOSYS head, then what libseccomp made. */
static int
assemble(const struct compiler *c, struct seccomp_filter *out, struct err *err)
{
	AUTO_CLOSE int fd = memfd_create("seccomp", MFD_CLOEXEC);
	AUTO_FREE struct sock_filter *insns = NULL;
	struct stat st;
	size_t n = 0, tail;
	int r;

	if (fd == -1)
		return err_sys(err, "seccomp: memfd_create");
	if ((r = seccomp_export_bpf(c->ctx, fd)) != 0)
		return err_set(
		    err, "seccomp: export of the program: %s", strerror(-r));
	if (fstat(fd, &st) == -1)
		return err_sys(err, "seccomp: fstat");
	tail = (size_t)st.st_size;
	insns = malloc(
	    ARCHES_MAX * SECCOMP_ENOSYS_INSNS_MAX * sizeof *insns + tail);
	if (insns == NULL)
		return err_sys(err, "seccomp");
	for (size_t i = 0; i < c->n_arches; i++)
		if (c->largest[i] != 0 && !permissive(c->default_action))
			n += seccomp_enosys_emit(
			    insns + n, c->arches[i], c->largest[i]);
	if (pread(fd, insns + n, tail, 0) != (ssize_t)tail)
		return err_sys(err, "seccomp: read the program");
	n += tail / sizeof *insns;
	if (n > BPF_MAXINSNS)
		return err_set(err,
		    "seccomp: the profile makes a program of %zu instructions "
		    "(allowed: 1 to %d)",
		    n, BPF_MAXINSNS);
	out->prog.len = (unsigned short)n;
	out->prog.filter = insns;
	out->flags = c->flags;
	insns = NULL;
	return 0;
}

int
seccomp_compile(
    struct json_object *profile, struct seccomp_filter *out, struct err *err)
{
	__attribute__((cleanup(ctx_releasep))) scmp_filter_ctx ctx = NULL;
	struct compiler c = {0};

	*out = (struct seccomp_filter){0};
	if (seccomp_read_action(profile, "seccomp", "defaultAction",
		"defaultErrnoRet", &c.default_action, err) == -1)
		return -1;
	if ((c.ctx = ctx = seccomp_init(c.default_action)) == NULL)
		return err_set(err, "seccomp: seccomp_init failed");
	if (add_arches(&c, profile, err) == -1 ||
	    add_flags(&c, profile, err) == -1 ||
	    add_rules(&c, profile, err) == -1)
		return -1;
	return assemble(&c, out, err);
}

void
seccomp_free(struct seccomp_filter *filter)
{
	free(filter->prog.filter);
	*filter = (struct seccomp_filter){0};
}

int
seccomp_install(const struct seccomp_filter *filter, struct err *err)
{
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags,
		&filter->prog) == -1)
		return err_sys(err, "seccomp: install the filter");
	return 0;
}
