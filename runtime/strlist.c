/* SPDX-License-Identifier: Apache-2.0
 * A growing list of strings that it owns. */
#include "runtime/strlist.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/xalloc.h"

void
strlist_take(struct strlist *l, char *s)
{
	l->v = xreallocarray(l->v, l->n + 2, sizeof(*l->v));
	l->v[l->n++] = s;
	l->v[l->n] = NULL;
}

void
strlist_add(struct strlist *l, const char *s)
{
	strlist_take(l, xstrdup(s));
}

void
strlist_free(struct strlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strlist){0};
}

bool
strlist_has(const struct strlist *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return true;
	return false;
}

void
strlist_split(struct strlist *l, const char *s)
{
	for (;;) {
		size_t n, len;

		s += strspn(s, " \t");
		n = len = strcspn(s, ",");
		while (len > 0 && strchr(" \t", s[len - 1]) != NULL)
			len--;
		if (len > 0)
			strlist_take(l, xstrndup(s, len));
		s += n;
		if (*s == '\0')
			return;
		s++;
	}
}
