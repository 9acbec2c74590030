/* SPDX-License-Identifier: Apache-2.0
 * A growing list of strings that it owns. */
#ifndef RUNTIME_STRLIST_H
#define RUNTIME_STRLIST_H

#include <stdbool.h>
#include <stddef.h>

struct strlist {
	char **v; /* NULL-terminated once something was added */
	size_t n;
};

void strlist_add(struct strlist *l, const char *s);
/* The same; the list takes the allocated string over. */
void strlist_take(struct strlist *l, char *s);
void strlist_free(struct strlist *l); /* leaves an empty list */
bool strlist_has(const struct strlist *l, const char *s);

/* The items between commas, without blanks around them; empty ones do not
 * count. */
void strlist_split(struct strlist *l, const char *s);

#endif
