/* SPDX-License-Identifier: Apache-2.0
 * Text from an option or a variable as a typed value. */
#include "runtime/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIST_MAX 32
#define DNS_MAX 255 /* a line of resolv.conf(5) */

#define ALNUM                                                                  \
	"abcdefghijklmnopqrstuvwxyz"                                           \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                           \
	"0123456789"

int
value_uint(const char *value, unsigned min, unsigned max, unsigned *out,
    struct err *err)
{
	char *end = NULL;
	unsigned long v = 0;

	errno = 0;
	if (isdigit((unsigned char)value[0]))
		v = strtoul(value, &end, 10);
	if (end == NULL || *end != '\0' || errno != 0 || v < min || v > max)
		return err_set(err,
		    "\"%.64s\", must be a whole number from %u to %u", value,
		    min, max);
	*out = (unsigned)v;
	return 0;
}

int
value_bool(const char *value, bool *out, struct err *err)
{
	static const char *const yes[] = {"1", "t", "true", "on", "yes"};
	static const char *const no[] = {"0", "f", "false", "off", "no"};

	for (size_t i = 0; i < 5; i++) {
		if (strcasecmp(value, yes[i]) == 0) {
			*out = true;
			return 0;
		}
		if (strcasecmp(value, no[i]) == 0) {
			*out = false;
			return 0;
		}
	}
	return err_set(err, "\"%.64s\", must be 1, true, 0 or false", value);
}

/* Splits value and adds those items to l that check accepts. */
int
value_list(struct strlist *l, const char *value,
    bool (*check)(const char *item), const char *allowed, struct err *err)
{
	struct strlist items = {0};
	int r = 0;

	strlist_split(&items, value);
	for (size_t i = 0; r == 0 && i < items.n; i++) {
		if (!check(items.v[i]))
			r = err_set(err,
			    "\"%.64s\", must be a comma-separated list of %s",
			    items.v[i], allowed);
		else if (l->n >= LIST_MAX)
			r = err_set(err, "more than %d items", LIST_MAX);
		else
			strlist_add(l, items.v[i]);
	}
	strlist_free(&items);
	return r;
}

bool
value_is_address(const char *s)
{
	unsigned char bin[16];

	return inet_pton(AF_INET, s, bin) == 1 ||
	    inet_pton(AF_INET6, s, bin) == 1;
}

/* What has only digits and dots was meant to be an address. */
bool
value_is_server(const char *s)
{
	return value_is_address(s) ||
	    (value_is_domain(s) && strspn(s, "0123456789.-") != strlen(s));
}

bool
value_is_resolv_option(const char *s)
{
	return strlen(s) <= DNS_MAX && strspn(s, ALNUM "_:.-") == strlen(s);
}

bool
value_is_domain(const char *s)
{
	return strlen(s) <= DNS_MAX && strspn(s, ALNUM "_.-") == strlen(s);
}

bool
value_is_absolute(const char *s)
{
	return s[0] == '/' && strlen(s) < 4096;
}
