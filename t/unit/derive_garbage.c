/* SPDX-License-Identifier: Apache-2.0
 * Derivation of damaged config.json files: each is refused with a sentence or
 * gives a spec that can be read back; none ends the program. The damage comes
 * from a fixed seed, so that a failure can be repeated. */
#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "runtime/jbuild.h"
#include "t/tap.h"
#include "t/unit/derive_case.h"

#define ROUNDS 200

static uint32_t state = 12345;

/* xorshift32 */
static uint32_t
next(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

static struct json_object *
garbage(void)
{
	static const char *const words[] = {"", "/", "..", "/../..", "\x01",
	    "user", "network", "1.0", "CAP_", "bind", "RUNQ_CPU=9999", "RUNQ_",
	    "/proc/1/ns/net", "%s%n", "a\nb"};
	struct json_object *o;

	switch (next(8)) {
	case 0:
		return NULL;
	case 1:
		return json_object_new_boolean(next(2) == 1);
	case 2:
		return json_object_new_int64(
		    (int64_t)((uint64_t)next(UINT32_MAX) << next(33)) -
		    next(3));
	case 3:
		return json_object_new_double(1e300);
	case 4:
		return json_object_new_array();
	case 5:
		o = json_object_new_object();
		jb_int(o, "path", 1);
		return o;
	case 6:
		return json_object_new_uint64(UINT64_MAX);
	default:
		return json_object_new_string(
		    words[next(sizeof(words) / sizeof(words[0]))]);
	}
}

static void damage(struct json_object *o);

/* A member becomes garbage, goes away, or is damaged further down. */
static void
damage_object(struct json_object *o)
{
	uint32_t at = next((uint32_t)json_object_object_length(o)), i = 0;

	json_object_object_foreach (o, key, val) {
		if (i++ != at)
			continue;
		if (next(4) != 0 &&
		    (json_object_is_type(val, json_type_object) ||
			json_object_is_type(val, json_type_array)))
			damage(val);
		else if (next(4) == 0)
			json_object_object_del(o, key);
		else
			json_object_object_add(o, key, garbage());
		return;
	}
}

static void
damage_array(struct json_object *o)
{
	uint32_t at = next((uint32_t)json_object_array_length(o));
	struct json_object *v = json_object_array_get_idx(o, at);

	if (next(4) != 0 &&
	    (json_object_is_type(v, json_type_object) ||
		json_object_is_type(v, json_type_array)))
		damage(v);
	else
		json_object_array_put_idx(o, at, garbage());
}

static void
damage(struct json_object *o)
{
	if (json_object_is_type(o, json_type_object)) {
		if (json_object_object_length(o) > 0)
			damage_object(o);
		else
			jb_set(o, "x", garbage());
	} else if (json_object_array_length(o) > 0) {
		damage_array(o);
	} else {
		jb_push(o, garbage());
	}
}

/* How many of the damaged ones came out wrong. */
static unsigned
run_damaged(struct json_object *args, struct json_object *facts,
    struct json_object *config, unsigned *refused)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		AUTO_JSON struct json_object *copy = NULL;
		AUTO_JSON struct json_object *got = NULL;
		struct json_object *error = NULL, *spec;

		json_object_deep_copy(config, &copy, NULL);
		for (uint32_t n = next(4) + 1; n > 0; n--)
			damage(copy);
		got = case_run(args, facts, copy);
		if (json_object_object_get_ex(got, "error", &error)) {
			const char *msg = json_object_get_string(error);

			(*refused)++;
			if (msg[0] == '\0' || strstr(msg, "READ BACK")) {
				printf("# %s\n", msg);
				bad++;
			}
		} else if (!json_object_object_get_ex(got, "spec", &spec)) {
			bad++;
		}
	}
	return bad;
}

/* The text of a config.json, cut off and with bytes changed. */
static void
run_text(struct json_object *args, struct json_object *facts,
    struct json_object *config)
{
	AUTO_FREE char *text = xstrdup(json_object_to_json_string(config));
	size_t len = strlen(text);
	unsigned parsed = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		AUTO_FREE char *copy = xstrdup(text);
		AUTO_JSON struct json_object *o = NULL;
		size_t n = i % 2 == 0 ? len : next((uint32_t)len);
		struct err err;

		copy[next((uint32_t)len)] = (char)next(256);
		o = json_parse(copy, n, "config.json", &err);
		if (o == NULL)
			continue;
		parsed++;
		if (json_object_is_type(o, json_type_object))
			json_object_put(case_run(args, facts, o));
	}
	ok(parsed < ROUNDS, "damaged text: %u of %d were still JSON", parsed,
	    ROUNDS);
}

int
main(void)
{
	char **files = case_files("golden");
	unsigned refused = 0, total = 0;

	for (char **f = files; *f != NULL; f++) {
		AUTO_JSON struct json_object *o = case_load(*f);
		struct json_object *args, *facts, *config;

		json_object_object_get_ex(o, "args", &args);
		json_object_object_get_ex(o, "facts", &facts);
		json_object_object_get_ex(o, "config", &config);
		is_int(run_damaged(args, facts, config, &refused), 0,
		    strrchr(*f, '/') + 1);
		total += ROUNDS;
		if (f == files)
			run_text(args, facts, config);
	}
	ok(refused > 0 && refused < total, "%u of %u were refused", refused,
	    total);
	case_files_free(files);
	return done_testing();
}
