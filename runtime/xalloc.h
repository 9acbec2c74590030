/* SPDX-License-Identifier: Apache-2.0
 * Allocation for a program that runs for milliseconds before exec: without
 * memory it says so and ends. */
#ifndef RUNTIME_XALLOC_H
#define RUNTIME_XALLOC_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *
xcheck(void *p)
{
	if (p == NULL) {
		fputs("runq: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

static inline void *
xcalloc(size_t n, size_t size)
{
	return xcheck(calloc(n, size));
}

static inline void *
xreallocarray(void *p, size_t n, size_t size)
{
	return xcheck(reallocarray(p, n, size));
}

static inline char *
xstrdup(const char *s)
{
	return xcheck(strdup(s));
}

static inline char *
xstrndup(const char *s, size_t n)
{
	return xcheck(strndup(s, n));
}

__attribute__((format(printf, 1, 2))) static inline char *
xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) == -1)
		s = NULL;
	va_end(ap);
	return xcheck(s);
}

#endif
