/* SPDX-License-Identifier: Apache-2.0
 * Text from an option or a variable as a typed value. The errors say what was
 * given and what is allowed, not where it stood. */
#ifndef RUNTIME_VALUE_H
#define RUNTIME_VALUE_H

#include <stdbool.h>

#include "lib/err.h"
#include "runtime/strlist.h"

int value_uint(const char *value, unsigned min, unsigned max, unsigned *out,
    struct err *err);
int value_bool(const char *value, bool *out, struct err *err);

/* Splits value at commas and adds the items to l, up to 32 in all; allowed
 * names what check accepts. */
int value_list(struct strlist *l, const char *value,
    bool (*check)(const char *item), const char *allowed, struct err *err);

bool value_is_address(const char *s); /* IPv4 or IPv6 */
/* An address, or the name of a host with a letter in it. */
bool value_is_server(const char *s);
bool value_is_resolv_option(const char *s);
bool value_is_domain(const char *s);
bool value_is_absolute(const char *s); /* a path */

#endif
