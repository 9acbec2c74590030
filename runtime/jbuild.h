/* SPDX-License-Identifier: Apache-2.0
 * Writing json-c objects, without memory failures to pass on. */
#ifndef RUNTIME_JBUILD_H
#define RUNTIME_JBUILD_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "runtime/xalloc.h"

static inline struct json_object *
jb_obj(void)
{
	return xcheck(json_object_new_object());
}

static inline struct json_object *
jb_arr(void)
{
	return xcheck(json_object_new_array());
}

/* v belongs to o afterwards and is returned. */
static inline struct json_object *
jb_set(struct json_object *o, const char *key, struct json_object *v)
{
	if (json_object_object_add(o, key, v) != 0)
		xcheck(NULL);
	return v;
}

/* A second owner of v; nothing for NULL. */
static inline void
jb_share(struct json_object *o, const char *key, struct json_object *v)
{
	if (v != NULL)
		jb_set(o, key, json_object_get(v));
}

static inline void
jb_str(struct json_object *o, const char *key, const char *s)
{
	jb_set(o, key, xcheck(json_object_new_string(s)));
}

static inline void
jb_int(struct json_object *o, const char *key, int64_t v)
{
	jb_set(o, key, xcheck(json_object_new_int64(v)));
}

static inline void
jb_u64(struct json_object *o, const char *key, uint64_t v)
{
	jb_set(o, key, xcheck(json_object_new_uint64(v)));
}

static inline void
jb_bool(struct json_object *o, const char *key, bool v)
{
	jb_set(o, key, xcheck(json_object_new_boolean(v)));
}

static inline void
jb_push(struct json_object *a, struct json_object *v)
{
	if (json_object_array_add(a, v) != 0)
		xcheck(NULL);
}

static inline void
jb_push_str(struct json_object *a, const char *s)
{
	jb_push(a, xcheck(json_object_new_string(s)));
}

/* An array of the n strings of v. */
static inline struct json_object *
jb_strv(const char *const *v, size_t n)
{
	struct json_object *a = jb_arr();

	for (size_t i = 0; i < n; i++)
		jb_push_str(a, v[i]);
	return a;
}

/* A checked copy of an array of strings; absent: an empty one. */
static inline int
jb_copy_strv(struct json_object *from, const char *where, const char *key,
    struct json_object *to, struct err *err)
{
	AUTO_FREE const char **v = NULL;
	size_t n;

	if (json_opt_strv(from, where, key, &v, &n, err) == -1)
		return -1;
	jb_set(to, key, jb_strv(v, n));
	return 0;
}

#endif
