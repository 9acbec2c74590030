/* SPDX-License-Identifier: Apache-2.0
 * TAP from C, for the unit tests: ok(), is_int(), is_str(), skip(),
 * skip_all(), done_testing(). */
#ifndef T_TAP_H
#define T_TAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int tap_run, tap_failed;

__attribute__((format(printf, 2, 3), unused)) static bool
ok(bool cond, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", cond ? "" : "not ", ++tap_run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	if (!cond)
		tap_failed++;
	return cond;
}

__attribute__((unused)) static bool
is_int(long long got, long long want, const char *name)
{
	if (!ok(got == want, "%s", name)) {
		printf("# got %lld, want %lld\n", got, want);
		return false;
	}
	return true;
}

__attribute__((unused)) static bool
is_str(const char *got, const char *want, const char *name)
{
	bool same =
	    got != NULL && want != NULL ? strcmp(got, want) == 0 : got == want;

	if (!ok(same, "%s", name))
		printf("# got  %s\n# want %s\n", got ? got : "(null)",
		    want ? want : "(null)");
	return same;
}

__attribute__((unused)) static void
skip(const char *name, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_run, name, why);
}

__attribute__((unused)) static int
skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	return 0;
}

/* Is this system call, which answers -1 as its first argument with an error,
 * unknown here? User-mode emulation has not all that a kernel has. */
__attribute__((unused)) static bool
lacks_syscall(long nr)
{
	return syscall(nr, -1, NULL, NULL, 0) == -1 && errno == ENOSYS;
}

#define LACKS_OPENAT2 "openat2(2) is missing here"
#define LACKS_SECCOMP "seccomp(2) is missing here"

/* A program of another architecture than the machine's, under qemu-user? */
__attribute__((unused)) static bool
emulated(void)
{
	const char *emulator = getenv("EMULATOR");

	return emulator != NULL && emulator[0] != '\0';
}

__attribute__((unused)) static int
done_testing(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed == 0 ? 0 : 1;
}

#endif
