/* SPDX-License-Identifier: Apache-2.0
 * The seccomp translation: Docker's default profile and small ones, run in an
 * interpreter of classic BPF and, with no_new_privs, by the kernel. */
#include "guest-agent/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-agent/seccomp_enosys.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "t/tap.h"
#include "t/unit/bpf.h"

#define X32 0x40000000u
#define NATIVE_IS_X86_64 (seccomp_arch_native() == SCMP_ARCH_X86_64)
#define NATIVE_IS_S390X (seccomp_arch_native() == SCMP_ARCH_S390X)
#define NEWUSER 0x10000000 /* CLONE_NEWUSER */

static int
compile(const char *text, struct seccomp_filter *f, struct err *err)
{
	AUTO_JSON struct json_object *o =
	    json_parse(text, strlen(text), "profile", err);

	return o == NULL ? -1 : seccomp_compile(o, f, err);
}

static uint32_t
verdict(const char *text, const char *name, const uint64_t args[6])
{
	struct seccomp_filter f;
	struct err err;
	uint32_t r;

	if (compile(text, &f, &err) == -1) {
		printf("# %s\n", err.msg);
		return 0xdeadbeef;
	}
	r = bpf_run(&f.prog, seccomp_arch_native(),
	    (uint32_t)seccomp_syscall_resolve_name(name), args);
	seccomp_free(&f);
	return r;
}

static void
is_act(uint32_t got, uint32_t want, const char *name)
{
	if (!ok(got == want, "%s", name))
		printf("# got %#x, want %#x\n", got, want);
}

#define ARGS(...)                                                              \
	(const uint64_t[6])                                                    \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
#define EPERM_ACT SCMP_ACT_ERRNO(EPERM)
#define ENOSYS_ACT SCMP_ACT_ERRNO(ENOSYS)

static struct json_object *
docker_profile(void)
{
	const char *dir = getenv("T_SRCDIR");
	char path[4096];

	snprintf(path, sizeof path,
	    "%s/t/unit/data/seccomp-docker-default.json",
	    dir != NULL ? dir : ".");
	return json_object_from_file(path);
}

/* Does the profile allow this name without a condition? */
static bool
profile_allows(struct json_object *profile, const char *name)
{
	struct json_object *rules, *rule, *names, *args;

	json_object_object_get_ex(profile, "syscalls", &rules);
	for (size_t i = 0; i < json_object_array_length(rules); i++) {
		rule = json_object_array_get_idx(rules, i);
		if (json_object_object_get_ex(rule, "args", &args) &&
		    args != NULL)
			continue;
		if (strcmp(json_object_get_string(
			       json_object_object_get(rule, "action")),
			"SCMP_ACT_ALLOW") != 0)
			continue;
		names = json_object_object_get(rule, "names");
		for (size_t j = 0; j < json_object_array_length(names); j++)
			if (strcmp(json_object_get_string(
				       json_object_array_get_idx(names, j)),
				name) == 0)
				return true;
	}
	return false;
}

static bool
is_conditional(const char *name)
{
	return strcmp(name, "personality") == 0 || strcmp(name, "clone") == 0 ||
	    strcmp(name, "clone3") == 0;
}

/* Every number of one architecture against the profile's names. */
static void
check_all_numbers(struct json_object *profile, const struct sock_fprog *p,
    uint32_t scmp, uint32_t audit, uint32_t bit, uint32_t largest)
{
	int wrong = 0;

	for (uint32_t n = 0; n < 1000; n++) {
		char *name =
		    seccomp_syscall_resolve_num_arch(scmp, (int)(n | bit));
		uint32_t want = EPERM_ACT,
			 got = bpf_run(p, audit, n | bit, NULL);

		if (n > largest || (n == 0 && scmp == SCMP_ARCH_S390X))
			want = ENOSYS_ACT;
		else if (name != NULL && is_conditional(name))
			want = got;
		else if (name != NULL && profile_allows(profile, name))
			want = SCMP_ACT_ALLOW;
		if (got != want) {
			printf("# %#x (%s): got %#x, want %#x\n", n | bit,
			    name ? name : "?", got, want);
			wrong++;
		}
		free(name);
	}
	is_int(wrong, 0, "docker: 1000 numbers of one architecture");
}

/* One call of this machine. */
static uint32_t
call(const struct sock_fprog *p, const char *name, const uint64_t args[6])
{
	return bpf_run(p, seccomp_arch_native(),
	    (uint32_t)seccomp_syscall_resolve_name(name), args);
}

/* clone(2) with these flags, where this machine has them. */
static uint32_t
call_clone(const struct sock_fprog *p, uint64_t clone_flags)
{
	const uint64_t stack = 0x7ffffff0;

	return call(p, "clone",
	    NATIVE_IS_S390X ? ARGS(stack, clone_flags)
			    : ARGS(clone_flags, stack));
}

static void
docker_calls(const struct sock_fprog *p)
{
	is_act(call(p, "personality", ARGS(8)), SCMP_ACT_ALLOW,
	    "docker: personality(8)");
	is_act(call(p, "personality", ARGS(9)), EPERM_ACT,
	    "docker: personality(9)");
	is_act(call(p, "personality", ARGS(0xffffffff)), SCMP_ACT_ALLOW,
	    "docker: personality(0xffffffff)");
	is_act(call(p, "personality", ARGS(0x100000008)), EPERM_ACT,
	    "docker: personality(8) with a high word");
	is_act(call_clone(p, 0x11), SCMP_ACT_ALLOW, "docker: clone as fork");
	is_act(call_clone(p, NEWUSER | 0x11), EPERM_ACT,
	    "docker: clone of a user namespace");
	is_act(call(p, "clone3", NULL), ENOSYS_ACT, "docker: clone3");
	is_act(call(p, "mount", NULL), EPERM_ACT, "docker: mount");
	is_act(bpf_run(p, seccomp_arch_native(), UINT32_MAX, NULL), ENOSYS_ACT,
	    "docker: number -1");
	is_act(bpf_run(p, AUDIT_ARCH_AARCH64, 1, NULL), SCMP_ACT_KILL_THREAD,
	    "docker: another architecture");
}

static void
docker_x86(struct json_object *profile, const struct sock_fprog *p)
{
	uint32_t x64 = AUDIT_ARCH_X86_64;

	check_all_numbers(profile, p, SCMP_ARCH_X86, AUDIT_ARCH_I386, 0, 449);
	is_act(bpf_run(p, x64, X32 | 1, NULL), SCMP_ACT_ALLOW,
	    "docker: x32 write");
	is_act(
	    bpf_run(p, x64, X32 | 165, NULL), EPERM_ACT, "docker: x32 mount");
	is_act(bpf_run(p, x64, X32 | 600, NULL), ENOSYS_ACT,
	    "docker: x32, newer than the profile");
}

#define CLONE_RULE(index)                                                      \
	"\"syscalls\":[{\"names\":[\"write\",\"clone\",\"read\"],"             \
	"\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":" #index           \
	",\"op\":\"SCMP_CMP_MASKED_EQ\",\"value\":2114060288}]}]}"
#define CLONE_PROFILE(arches, index)                                           \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\"," arches CLONE_RULE(index)

/* Profiles as engines on x86_64 and s390x write them, for this machine. */
static void
test_clone(void)
{
	static const char x86[] = CLONE_PROFILE(
	    "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\"],", 0);
	static const char s390x[] = CLONE_PROFILE(
	    "\"architectures\":[\"SCMP_ARCH_S390X\",\"SCMP_ARCH_S390\"],", 1);
	static const char none_0[] = CLONE_PROFILE("", 0);
	static const char none_1[] = CLONE_PROFILE("", 1);
	const struct {
		const char *name, *profile;
		unsigned others; /* write's and read's argument */
	} profiles[] = {
	    {"x86_64", x86, 0},
	    {"s390x", s390x, 1},
	    {"no architectures", NATIVE_IS_S390X ? none_1 : none_0,
		NATIVE_IS_S390X},
	};

	for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
		const char *name = profiles[i].name;
		uint64_t bad[6] = {0};
		struct seccomp_filter f;
		struct err err;

		if (!ok(compile(profiles[i].profile, &f, &err) == 0,
			"clone, %s: compiles", name)) {
			printf("# %s\n", err.msg);
			continue;
		}
		bad[profiles[i].others] = NEWUSER;
		ok(call_clone(&f.prog, 0x11) == SCMP_ACT_ALLOW,
		    "clone, %s: fork", name);
		ok(call_clone(&f.prog, NEWUSER) == EPERM_ACT,
		    "clone, %s: a user namespace", name);
		ok(call(&f.prog, "write", bad) == EPERM_ACT &&
			call(&f.prog, "read", bad) == EPERM_ACT,
		    "clone, %s: other calls in the rule are as they were",
		    name);
		seccomp_free(&f);
	}
}

static void
test_docker_default(void)
{
	AUTO_JSON struct json_object *profile = docker_profile();
	struct seccomp_filter f;
	struct err err = {""};

	if (profile == NULL) {
		ok(false, "docker's profile is there");
		return;
	}
	if (!ok(seccomp_compile(profile, &f, &err) == 0, "docker: compiles")) {
		printf("# %s\n", err.msg);
		return;
	}
	printf("# %u instructions\n", f.prog.len);
	/* the newest that the profile names is 449, futex_waitv */
	check_all_numbers(profile, &f.prog, seccomp_arch_native(),
	    seccomp_arch_native(), 0, 449);
	docker_calls(&f.prog);
	if (NATIVE_IS_X86_64)
		docker_x86(profile, &f.prog);
	else
		skip("docker: i386, x32", "this is not x86_64");
	seccomp_free(&f);
}

#define ERRNO_PROFILE(rest)                                                    \
	"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[" rest "]}"
#define ARG_RULE(args)                                                         \
	ERRNO_PROFILE("{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ERRNO\","  \
		      "\"errnoRet\":7,\"args\":[" args "]}")
#define ARG(i, op, v)                                                          \
	"{\"index\":" #i ",\"op\":\"SCMP_CMP_" #op "\",\"value\":" #v "}"

static void
test_operators(void)
{
	static const struct {
		const char *profile, *name;
		uint64_t below, at, above; /* argument 2 = 99, 100, 101: hit? */
	} cases[] = {
	    {ARG_RULE(ARG(2, EQ, 100)), "EQ", 0, 1, 0},
	    {ARG_RULE(ARG(2, NE, 100)), "NE", 1, 0, 1},
	    {ARG_RULE(ARG(2, LT, 100)), "LT", 1, 0, 0},
	    {ARG_RULE(ARG(2, LE, 100)), "LE", 1, 1, 0},
	    {ARG_RULE(ARG(2, GT, 100)), "GT", 0, 0, 1},
	    {ARG_RULE(ARG(2, GE, 100)), "GE", 0, 1, 1},
	};
	char name[64];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const uint64_t hit[] = {
		    cases[i].below, cases[i].at, cases[i].above};

		for (uint64_t j = 0; j < 3; j++) {
			snprintf(name, sizeof name, "%s 100: %d", cases[i].name,
			    99 + (int)j);
			is_act(verdict(cases[i].profile, "write",
				   ARGS(0, 0, 99 + j)),
			    hit[j] ? SCMP_ACT_ERRNO(7) : SCMP_ACT_ALLOW, name);
		}
	}
}

static void
test_conditions(void)
{
	const char *mask =
	    ARG_RULE("{\"index\":0,\"op\":"
		     "\"SCMP_CMP_MASKED_EQ\",\"value\":240,\"valueTwo\":32}");
	const char *both = ARG_RULE(ARG(0, EQ, 1) "," ARG(1, EQ, 2));
	const char *either =
	    ARG_RULE(ARG(0, EQ, 1) "," ARG(0, EQ, 2) "," ARG(1, EQ, 9));
	const char *big = ARG_RULE(ARG(0, EQ, 18446744073709551615));

	is_act(verdict(mask, "write", ARGS(0x2f)), SCMP_ACT_ERRNO(7),
	    "MASKED_EQ hits");
	is_act(verdict(mask, "write", ARGS(0x3f)), SCMP_ACT_ALLOW,
	    "MASKED_EQ misses");
	is_act(verdict(both, "write", ARGS(1, 2)), SCMP_ACT_ERRNO(7),
	    "two arguments: both hold");
	is_act(verdict(both, "write", ARGS(1, 3)), SCMP_ACT_ALLOW,
	    "two arguments: one holds");
	is_act(verdict(either, "write", ARGS(2, 0)), SCMP_ACT_ERRNO(7),
	    "one argument twice: the second holds");
	is_act(verdict(either, "write", ARGS(3, 9)), SCMP_ACT_ERRNO(7),
	    "one argument twice: the other argument holds");
	is_act(verdict(either, "write", ARGS(3, 8)), SCMP_ACT_ALLOW,
	    "one argument twice: none holds");
	is_act(verdict(big, "write", ARGS(UINT64_MAX)), SCMP_ACT_ERRNO(7),
	    "a value of 64 bits");
	is_act(verdict(big, "write", ARGS(UINT32_MAX)), SCMP_ACT_ALLOW,
	    "a value of 64 bits, low word alone");
}

static void
test_actions(void)
{
	static const struct {
		const char *name;
		uint32_t act;
	} acts[] = {
	    {"SCMP_ACT_KILL\"", SCMP_ACT_KILL_THREAD},
	    {"SCMP_ACT_KILL_THREAD\"", SCMP_ACT_KILL_THREAD},
	    {"SCMP_ACT_KILL_PROCESS\"", SCMP_ACT_KILL_PROCESS},
	    {"SCMP_ACT_TRAP\"", SCMP_ACT_TRAP},
	    {"SCMP_ACT_LOG\"", SCMP_ACT_LOG},
	    {"SCMP_ACT_ERRNO\"", SCMP_ACT_ERRNO(EPERM)},
	    {"SCMP_ACT_ERRNO\",\"errnoRet\":0", SCMP_ACT_ERRNO(0)},
	    {"SCMP_ACT_TRACE\"", SCMP_ACT_TRACE(EPERM)},
	    {"SCMP_ACT_TRACE\",\"errnoRet\":300", SCMP_ACT_TRACE(300)},
	};
	char text[512];

	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		snprintf(text, sizeof text,
		    ERRNO_PROFILE("{\"names\":[\"mkdir\",\"no_such_call\"],"
				  "\"action\":\"%s}"),
		    acts[i].name);
		is_act(verdict(text, "mkdir", NULL), acts[i].act, acts[i].name);
		snprintf(text, sizeof text,
		    "{\"defaultAction\":\"%s,"
		    "\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":"
		    "\"SCMP_ACT_ALLOW\"}]}",
		    acts[i].name);
		if (strstr(acts[i].name, "errnoRet") == NULL)
			is_act(verdict(text, "rmdir", NULL), acts[i].act,
			    "the same as the default");
	}
	is_act(verdict("{\"defaultAction\":\"SCMP_ACT_ERRNO\","
		       "\"defaultErrnoRet\":13}",
		   "mkdir", NULL),
	    SCMP_ACT_ERRNO(13), "defaultErrnoRet, no rules, no list");
	is_act(verdict(ERRNO_PROFILE("{\"names\":[\"mkdir\"],"
				     "\"action\":\"SCMP_ACT_ALLOW\"}"),
		   "mkdir", NULL),
	    SCMP_ACT_ALLOW, "a rule that says the default");
}

static uint32_t
newer(const char *arch, const char *dflt)
{
	struct seccomp_filter f;
	struct err err;
	char text[512];
	uint32_t r;

	snprintf(text, sizeof text,
	    "{\"defaultAction\":\"%s\",%s"
	    "\"syscalls\":[{\"names\":[\"read\",\"mkdir\"],"
	    "\"action\":\"SCMP_ACT_%s\"}]}",
	    dflt, arch,
	    strcmp(dflt, "SCMP_ACT_ALLOW") == 0 ? "ERRNO" : "ALLOW");
	if (compile(text, &f, &err) == -1) {
		printf("# %s\n", err.msg);
		return 0xdeadbeef;
	}
	r = bpf_run(&f.prog, seccomp_arch_native(), 460, NULL);
	seccomp_free(&f);
	return r;
}

static void
test_enosys(void)
{
	const char *x64 = "\"architectures\":[\"SCMP_ARCH_X86_64\"],";
	const char *other = "\"architectures\":[\"SCMP_ARCH_S390X\"],";

	is_act(newer(x64, "SCMP_ACT_ERRNO"), ENOSYS_ACT, "newer: ERRNO");
	is_act(newer(x64, "SCMP_ACT_KILL"), ENOSYS_ACT, "newer: KILL");
	is_act(newer(x64, "SCMP_ACT_ALLOW"), SCMP_ACT_ALLOW, "newer: ALLOW");
	is_act(newer(x64, "SCMP_ACT_LOG"), SCMP_ACT_LOG, "newer: LOG");
	is_act(newer(x64, "SCMP_ACT_TRACE"), SCMP_ACT_TRACE(EPERM),
	    "newer: TRACE");
	is_act(newer("", "SCMP_ACT_ERRNO"), EPERM_ACT,
	    "newer: no architectures listed");
	is_act(newer(other, "SCMP_ACT_ERRNO"), ENOSYS_ACT,
	    "newer: list of another machine");
}

/* The part for an architecture that this machine need not have. */
static void
test_enosys_s390x(void)
{
	struct sock_filter insns[SECCOMP_ENOSYS_INSNS_MAX + 1];
	size_t n = seccomp_enosys_emit(insns, SCMP_ARCH_S390X, 400);
	struct sock_fprog p = {(unsigned short)(n + 1), insns};
	const uint32_t arch = AUDIT_ARCH_S390X;

	insns[n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 1);
	ok(n <= SECCOMP_ENOSYS_INSNS_MAX, "s390x: room");
	is_act(bpf_run(&p, arch, 0, NULL), ENOSYS_ACT,
	    "s390x: 0, the mark of a number that the kernel does not know");
	is_act(bpf_run(&p, arch, 1, NULL), 1, "s390x: 1");
	is_act(bpf_run(&p, arch, 400, NULL), 1, "s390x: the largest");
	is_act(bpf_run(&p, arch, 401, NULL), ENOSYS_ACT, "s390x: a newer one");
	is_act(
	    bpf_run(&p, AUDIT_ARCH_S390, 401, NULL), 1, "s390x: not for s390");
}

static void
test_garbage(void)
{
	static const char *const bad[] = {
	    "[]",
	    "7",
	    "{}",
	    "{\"defaultAction\":7}",
	    "{\"defaultAction\":\"SCMP_ACT_NONSENSE\"}",
	    "{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\","
	    "\"defaultErrnoRet\":65536}",
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\","
	    "\"architectures\":[\"X86_64\"]}",
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\","
	    "\"architectures\":[\"SCMP_ARCH_\"]}",
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\","
	    "\"architectures\":[\"SCMP_ARCH_x86\"]}",
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[1]}",
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":{}}",
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"X\"]}",
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":{}}",
	    ERRNO_PROFILE("null"),
	    ERRNO_PROFILE("7"),
	    ERRNO_PROFILE("{}"),
	    ERRNO_PROFILE("{\"action\":\"SCMP_ACT_KILL\"}"),
	    ERRNO_PROFILE("{\"action\":\"SCMP_ACT_KILL\",\"names\":[]}"),
	    ERRNO_PROFILE("{\"action\":\"SCMP_ACT_KILL\",\"names\":[\"\"]}"),
	    ERRNO_PROFILE("{\"action\":\"SCMP_ACT_KILL\",\"names\":[1]}"),
	    ERRNO_PROFILE("{\"action\":\"SCMP_ACT_NOTIFY\","
			  "\"names\":[\"mkdir\"]}"),
	    ERRNO_PROFILE("{\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":-1,"
			  "\"names\":[\"mkdir\"]}"),
	    ARG_RULE("{}"),
	    ARG_RULE("null"),
	    ARG_RULE(ARG(6, EQ, 1)),
	    ARG_RULE(ARG(-1, EQ, 1)),
	    ARG_RULE(ARG(0, XX, 1)),
	    ARG_RULE(ARG(0, EQ, -1)),
	    ARG_RULE(ARG(0, EQ, "1")),
	};
	struct seccomp_filter f;
	struct err err;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		err.msg[0] = '\0';
		ok(compile(bad[i], &f, &err) == -1 && err.msg[0] != '\0',
		    "refused: %s", err.msg);
	}
}

/* Runs try in a child with the filter installed; its exit code. */
static int
in_child(const char *text, int (*try)(void))
{
	struct seccomp_filter f;
	struct err err;
	int status;
	pid_t pid;

	if (compile(text, &f, &err) == -1) {
		printf("# %s\n", err.msg);
		return -1;
	}
	fflush(stdout);
	if ((pid = fork()) == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
		    seccomp_install(&f, &err) == -1)
			_exit(255);
		_exit(try());
	}
	seccomp_free(&f);
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 1000 + WTERMSIG(status);
}

static int
try_mkdir(void)
{
	return mkdirat(-1, "", 0700) == -1 ? errno : 0;
}

static int
try_personality(void)
{
	if (personality(0xffffffff) == -1)
		return 1;
	return personality(PER_BSD) == -1 ? errno : 2;
}

static int
try_newer(void)
{
	return syscall(5000) == -1 ? errno : 0;
}

static void
test_kernel(void)
{
	static const char mkdir_13[] = ERRNO_PROFILE(
	    "{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\","
	    "\"errnoRet\":13}");
	static const char mkdir_kill[] = ERRNO_PROFILE(
	    "{\"names\":[\"mkdirat\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"}");
	static const char flags[] =
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\","
	    "\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\","
	    "\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\","
	    "\"SECCOMP_FILTER_FLAG_TSYNC\"],\"syscalls\":["
	    "{\"names\":[\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\","
	    "\"errnoRet\":14}]}";
	AUTO_JSON struct json_object *profile = docker_profile();

	if (lacks_syscall(SYS_seccomp)) {
		skip("kernel", LACKS_SECCOMP);
		return;
	}
	is_int(in_child(mkdir_13, try_mkdir), 13, "kernel: mkdir gives 13");
	is_int(in_child(mkdir_kill, try_mkdir), 1000 + 31,
	    "kernel: mkdir kills by SIGSYS");
	is_int(in_child(flags, try_mkdir), 14, "kernel: with all flags");
	if (profile == NULL)
		return;
	is_int(in_child(json_object_to_json_string(profile), try_personality),
	    EPERM, "kernel: docker, personality(PER_BSD)");
	is_int(in_child(json_object_to_json_string(profile), try_newer), ENOSYS,
	    "kernel: docker, a system call of the future");
}

int
main(void)
{
	/* libseccomp asks the kernel what it may use in a program */
	if (lacks_syscall(SYS_seccomp))
		seccomp_api_set(6);
	test_docker_default();
	test_clone();
	test_operators();
	test_conditions();
	test_actions();
	test_enosys();
	test_enosys_s390x();
	test_garbage();
	test_kernel();
	return done_testing();
}
