/* SPDX-License-Identifier: Apache-2.0
 * The process that a client of runq-exec gets. */
#include "supervisor/exec_process.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/rexec.h"

/* What the client may say. */
struct request {
	const char **args, **env;
	size_t n_args, n_env;
	bool terminal, has_size;
	int64_t rows, columns;
};

static void
request_free(struct request *r)
{
	free(r->args);
	free(r->env);
}

static int
read_process(struct json_object *doc, struct request *r, struct err *err)
{
	static const char *const known[] = {"args", "env", "terminal", NULL};
	const char *w = "process";
	struct json_object *o;

	if (json_need_obj(doc, "EXEC", w, &o, err) == -1 ||
	    json_only(o, w, known, err) == -1 ||
	    json_opt_bool(o, w, "terminal", &r->terminal, err) == -1 ||
	    json_opt_strv(o, w, "args", &r->args, &r->n_args, err) == -1 ||
	    json_opt_strv(o, w, "env", &r->env, &r->n_env, err) == -1)
		return -1;
	if (r->n_args == 0)
		return err_set(err, "process.args: must have a first element");
	if (r->n_env > REXEC_ENV_MAX)
		return err_set(err, "process.env: %zu variables (allowed: %d)",
		    r->n_env, REXEC_ENV_MAX);
	for (size_t i = 0; i < r->n_env; i++)
		if (r->env[i][0] == '=' || strchr(r->env[i], '=') == NULL)
			return err_set(err,
			    "process.env: \"%.64s\" is not "
			    "NAME=VALUE",
			    r->env[i]);
	return 0;
}

static int
read_request(struct json_object *doc, struct request *r, struct err *err)
{
	static const char *const known[] = {"process", "terminal", NULL};
	static const char *const size[] = {"rows", "columns", NULL};
	const char *w = "terminal";
	struct json_object *o = NULL;

	if (!json_object_is_type(doc, json_type_object))
		return err_set(err, "EXEC: not an object");
	if (json_only(doc, "EXEC", known, err) == -1 ||
	    read_process(doc, r, err) == -1 ||
	    json_opt_obj(doc, "EXEC", w, &o, err) == -1)
		return -1;
	if (o == NULL)
		return 0;
	r->has_size = true;
	if (json_only(o, w, size, err) == -1 ||
	    json_need_int(o, w, "rows", 0, 65535, &r->rows, err) == -1 ||
	    json_need_int(o, w, "columns", 0, 65535, &r->columns, err) == -1)
		return -1;
	return 0;
}

/* ---- environment --------------------------------------------------------- */

static bool
same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strncmp(a, b, n) == 0 && b[n] == '=';
}

static bool
has_name(const char *const *env, size_t n, const char *var)
{
	for (size_t i = 0; i < n; i++)
		if (same_name(env[i], var))
			return true;
	return false;
}

/* The last one of a name counts, as with docker exec; so does the TERM that a
 * terminal comes with. */
static struct json_object *
merge_env(const char *const *base, size_t n_base, const struct request *r)
{
	static const char term[] = "TERM=xterm";
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < n_base; i++)
		if (!has_name(r->env, r->n_env, base[i]))
			json_object_array_add(
			    a, json_object_new_string(base[i]));
	if (r->terminal && !has_name(base, n_base, term) &&
	    !has_name(r->env, r->n_env, term))
		json_object_array_add(a, json_object_new_string(term));
	for (size_t i = 0; i < r->n_env; i++)
		if (!has_name(r->env + i + 1, r->n_env - i - 1, r->env[i]))
			json_object_array_add(
			    a, json_object_new_string(r->env[i]));
	return a;
}

/* ---- the document -------------------------------------------------------- */

static struct json_object *
strings(const char *const *v, size_t n)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(a, json_object_new_string(v[i]));
	return a;
}

static struct json_object *
process_json(
    struct json_object *container, const struct request *r, struct err *err)
{
	AUTO_FREE const char **base = NULL;
	struct json_object *own, *seccomp, *o = NULL;
	size_t n;

	if (json_need_obj(container, "container", "process", &own, err) == -1 ||
	    json_opt_strv(own, "process", "env", &base, &n, err) == -1)
		return NULL;
	if (json_object_deep_copy(own, &o, NULL) == -1) {
		err_set(err, "out of memory");
		return NULL;
	}
	json_object_object_add(o, "args", strings(r->args, r->n_args));
	json_object_object_add(o, "env", merge_env(base, n, r));
	json_object_object_add(
	    o, "terminal", json_object_new_boolean(r->terminal));
	if (json_object_object_get_ex(container, "seccomp", &seccomp))
		json_object_object_add(o, "seccomp", json_object_get(seccomp));
	return o;
}

static struct json_object *
document(
    struct json_object *container, const struct request *r, struct err *err)
{
	struct json_object *process = process_json(container, r, err);
	struct json_object *o, *t;

	if (process == NULL)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "process", process);
	if (r->terminal && r->has_size) {
		t = json_object_new_object();
		json_object_object_add(
		    t, "rows", json_object_new_int64(r->rows));
		json_object_object_add(
		    t, "columns", json_object_new_int64(r->columns));
		json_object_object_add(o, "terminal", t);
	}
	return o;
}

char *
exec_process(struct json_object *container, const uint8_t *text, size_t len,
    size_t *out_len, char **args0, struct err *err)
{
	AUTO_JSON struct json_object *doc = NULL, *out = NULL;
	struct request r = {0};
	const char *s;
	char *copy = NULL;

	doc = json_parse((const char *)text, len, "EXEC", err);
	if (doc != NULL && read_request(doc, &r, err) == 0 &&
	    (out = document(container, &r, err)) != NULL) {
		s = json_object_to_json_string_length(out,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		    out_len);
		if (s == NULL || (copy = strdup(s)) == NULL ||
		    (*args0 = strdup(r.args[0])) == NULL) {
			err_set(err, "out of memory");
			free(copy);
			copy = NULL;
		}
	}
	request_free(&r);
	return copy;
}
