/* SPDX-License-Identifier: Apache-2.0
 * Typed reads from a json-c object. */
#include "lib/json.h"

#include <inttypes.h>
#include <json-c/printbuf.h>
#include <limits.h>
#include <string.h>

static bool
has_nul(struct json_object *o)
{
	return strlen(json_object_get_string(o)) !=
	    (size_t)json_object_get_string_len(o);
}

/* C strings end at a NUL: one inside would hide what follows it. */
static bool
tree_has_nul(struct json_object *o)
{
	switch (json_object_get_type(o)) {
	case json_type_string:
		return has_nul(o);
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(o); i++)
			if (tree_has_nul(json_object_array_get_idx(o, i)))
				return true;
		return false;
	case json_type_object: {
		json_object_object_foreach (o, key, val) {
			(void)key;
			if (tree_has_nul(val))
				return true;
		}
		return false;
	}
	default:
		return false;
	}
}

struct json_object *
json_parse(const char *text, size_t len, const char *what, struct err *err)
{
	struct json_tokener *tok;
	struct json_object *o = NULL;
	size_t end;

	if (len > INT_MAX) {
		err_set(err, "%s: %zu bytes of JSON", what, len);
		return NULL;
	}
	if ((tok = json_tokener_new_ex(JSON_DEPTH_MAX)) == NULL) {
		err_set(err, "%s: out of memory", what);
		return NULL;
	}
	json_tokener_set_flags(
	    tok, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	o = json_tokener_parse_ex(tok, text, (int)len);
	end = json_tokener_get_parse_end(tok);
	if (o == NULL) {
		err_set(err, "%s: not JSON, at byte %zu: %s", what, end,
		    json_tokener_error_desc(json_tokener_get_error(tok)));
		goto out;
	}
	while (end < len && strchr(" \t\r\n", text[end]) != NULL &&
	    text[end] != '\0')
		end++;
	if (end < len) {
		err_set(err, "%s: text after the JSON value, at byte %zu", what,
		    end);
		json_object_put(o);
		o = NULL;
	} else if (tree_has_nul(o)) {
		err_set(err, "%s: a string with a NUL byte", what);
		json_object_put(o);
		o = NULL;
	}
out:
	/* its buffer holds the last strings, which may be secret */
	explicit_bzero(tok->pb->buf, (size_t)tok->pb->size);
	json_tokener_free(tok);
	return o;
}

int
json_only(struct json_object *o, const char *where, const char *const *known,
    struct err *err)
{
	json_object_object_foreach (o, key, val) {
		const char *const *k = known;

		(void)val;
		while (*k != NULL && strcmp(*k, key) != 0)
			k++;
		if (*k == NULL)
			return err_set(
			    err, "%s.%.64s: unknown member", where, key);
	}
	return 0;
}

void
json_wipe_str(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (json_object_object_get_ex(o, key, &v) &&
	    json_object_is_type(v, json_type_string))
		explicit_bzero((char *)(uintptr_t)json_object_get_string(v),
		    (size_t)json_object_get_string_len(v));
}

/* 1: *v is a member of that type; 0: absent; -1: of another type. */
static int
member(struct json_object *o, const char *where, const char *key,
    enum json_type type, struct json_object **v, struct err *err)
{
	if (!json_object_is_type(o, json_type_object))
		return err_set(err, "%s: not an object", where);
	if (!json_object_object_get_ex(o, key, v) || *v == NULL)
		return 0;
	if (!json_object_is_type(*v, type))
		return err_set(err, "%s.%s: %s, must be %s", where, key,
		    json_type_to_name(json_object_get_type(*v)),
		    json_type_to_name(type));
	return 1;
}

static int
missing(const char *where, const char *key, struct err *err)
{
	return err_set(err, "%s.%s: missing", where, key);
}

int
json_opt_str(struct json_object *o, const char *where, const char *key,
    const char **out, struct err *err)
{
	struct json_object *v;
	int r = member(o, where, key, json_type_string, &v, err);

	if (r <= 0)
		return r;
	if (has_nul(v))
		return err_set(err, "%s.%s: a NUL byte", where, key);
	*out = json_object_get_string(v);
	return 0;
}

int
json_need_str(struct json_object *o, const char *where, const char *key,
    const char **out, struct err *err)
{
	*out = NULL;
	if (json_opt_str(o, where, key, out, err) == -1)
		return -1;
	return *out == NULL ? missing(where, key, err) : 0;
}

/* 1 when read, 0 when absent. */
static int
get_int(struct json_object *o, const char *where, const char *key, int64_t min,
    int64_t max, int64_t *out, struct err *err)
{
	struct json_object *v;
	int r = member(o, where, key, json_type_int, &v, err);
	int64_t i;

	if (r <= 0)
		return r;
	i = json_object_get_int64(v);
	if (i < min || i > max)
		return err_set(err,
		    "%s.%s: %s (allowed: %" PRId64 " to %" PRId64 ")", where,
		    key, json_object_get_string(v), min, max);
	*out = i;
	return 1;
}

int
json_need_int(struct json_object *o, const char *where, const char *key,
    int64_t min, int64_t max, int64_t *out, struct err *err)
{
	int r = get_int(o, where, key, min, max, out, err);

	if (r == 0)
		return missing(where, key, err);
	return r == 1 ? 0 : -1;
}

int
json_opt_int(struct json_object *o, const char *where, const char *key,
    int64_t min, int64_t max, int64_t *out, struct err *err)
{
	return get_int(o, where, key, min, max, out, err) == -1 ? -1 : 0;
}

int
json_opt_u64(struct json_object *o, const char *where, const char *key,
    uint64_t *out, struct err *err)
{
	struct json_object *v;
	int r = member(o, where, key, json_type_int, &v, err);

	if (r <= 0)
		return r;
	if (json_object_get_int64(v) < 0)
		return err_set(err, "%s.%s: %s (allowed: 0 and up)", where, key,
		    json_object_get_string(v));
	*out = json_object_get_uint64(v);
	return 0;
}

int
json_opt_bool(struct json_object *o, const char *where, const char *key,
    bool *out, struct err *err)
{
	struct json_object *v;
	int r = member(o, where, key, json_type_boolean, &v, err);

	if (r == 1)
		*out = json_object_get_boolean(v);
	return r == -1 ? -1 : 0;
}

int
json_opt_obj(struct json_object *o, const char *where, const char *key,
    struct json_object **out, struct err *err)
{
	struct json_object *v;
	int r = member(o, where, key, json_type_object, &v, err);

	if (r == 1)
		*out = v;
	return r == -1 ? -1 : 0;
}

int
json_need_obj(struct json_object *o, const char *where, const char *key,
    struct json_object **out, struct err *err)
{
	*out = NULL;
	if (json_opt_obj(o, where, key, out, err) == -1)
		return -1;
	return *out == NULL ? missing(where, key, err) : 0;
}

int
json_opt_arr(struct json_object *o, const char *where, const char *key,
    struct json_object **out, struct err *err)
{
	struct json_object *v;
	int r = member(o, where, key, json_type_array, &v, err);

	if (r == 1)
		*out = v;
	return r == -1 ? -1 : 0;
}

int
json_opt_strv(struct json_object *o, const char *where, const char *key,
    const char ***out, size_t *n, struct err *err)
{
	struct json_object *a = NULL, *v;
	const char **vec;
	size_t len;

	*out = NULL;
	*n = 0;
	if (json_opt_arr(o, where, key, &a, err) == -1)
		return -1;
	if (a == NULL)
		return 0;
	len = json_object_array_length(a);
	if ((vec = calloc(len + 1, sizeof *vec)) == NULL)
		return err_sys(err, "%s.%s", where, key);
	for (size_t i = 0; i < len; i++) {
		v = json_object_array_get_idx(a, i);
		if (!json_object_is_type(v, json_type_string) || has_nul(v)) {
			free(vec);
			return err_set(err,
			    "%s.%s[%zu]: must be a string "
			    "without NUL bytes",
			    where, key, i);
		}
		vec[i] = json_object_get_string(v);
	}
	*out = vec;
	*n = len;
	return 0;
}
