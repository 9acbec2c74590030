/* SPDX-License-Identifier: Apache-2.0
 * Typed reads from a json-c object: type and range checked at the border,
 * errors that name the member. */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

static inline void
cleanup_jsonp(struct json_object **o)
{
	json_object_put(*o);
}
#define AUTO_JSON __attribute__((cleanup(cleanup_jsonp)))

#define JSON_DEPTH_MAX 32

/*
 * Parses exactly one value, nothing but white space after it, at most
 * JSON_DEPTH_MAX deep, strings without NUL bytes. NULL with err "what: line
 * ..." otherwise. The caller puts it.
 */
struct json_object *
json_parse(const char *text, size_t len, const char *what, struct err *err);

/*
 * Members of object o. where names o in errors ("process"). Absent (or null)
 * members: json_need_* fail; json_opt_* leave *out as it is and return 0. A
 * member of the wrong type or out of range is an error in both. Strings and
 * objects are borrowed from o.
 */
int json_need_str(struct json_object *o, const char *where, const char *key,
    const char **out, struct err *err);
int json_opt_str(struct json_object *o, const char *where, const char *key,
    const char **out, struct err *err);
int json_need_int(struct json_object *o, const char *where, const char *key,
    int64_t min, int64_t max, int64_t *out, struct err *err);
int json_opt_int(struct json_object *o, const char *where, const char *key,
    int64_t min, int64_t max, int64_t *out, struct err *err);
int json_opt_u64(struct json_object *o, const char *where, const char *key,
    uint64_t *out, struct err *err);
int json_opt_bool(struct json_object *o, const char *where, const char *key,
    bool *out, struct err *err);
int json_need_obj(struct json_object *o, const char *where, const char *key,
    struct json_object **out, struct err *err);
int json_opt_obj(struct json_object *o, const char *where, const char *key,
    struct json_object **out, struct err *err);
int json_opt_arr(struct json_object *o, const char *where, const char *key,
    struct json_object **out, struct err *err);

/* Fails when o has a member that is not in the NULL-terminated list. */
int json_only(struct json_object *o, const char *where,
    const char *const *known, struct err *err);

/* Overwrites a member that is a string with NUL bytes: a secret. */
void json_wipe_str(struct json_object *o, const char *key);

/*
 * An array of strings as a NULL-terminated vector in one allocation (free()
 * it); the strings are borrowed from o. Absent: *out = NULL, *n = 0.
 */
int json_opt_strv(struct json_object *o, const char *where, const char *key,
    const char ***out, size_t *n, struct err *err);

#endif
