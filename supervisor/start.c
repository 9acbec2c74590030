/* SPDX-License-Identifier: Apache-2.0
 * The START message: all that the agent learns of its container. */
#include "supervisor/start.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "lib/json.h"

#define SEED_BYTES 32

static void
add_int(struct json_object *o, const char *key, int64_t v)
{
	json_object_object_add(o, key, json_object_new_int64(v));
}

static struct json_object *
clock_now(void)
{
	struct json_object *o = json_object_new_object();
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	add_int(o, "sec", ts.tv_sec);
	add_int(o, "nsec", ts.tv_nsec);
	return o;
}

static struct json_object *
seed(void)
{
	uint8_t raw[SEED_BYTES];
	char hex[2 * SEED_BYTES + 1] = "";

	if (getrandom(raw, sizeof raw, 0) != sizeof raw)
		return NULL; /* cannot be: fewer than 256 bytes */
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(hex + 2 * i, 3, "%02x", raw[i]);
	return json_object_new_string(hex);
}

/* Without it the share is virtiofs. */
static struct json_object *
share_9p(const struct vm_spec *spec)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(
	    o, "type", json_object_new_string(vm_rootfs_name(spec->rootfs)));
	json_object_object_add(o, "cache",
	    json_object_new_string(
		spec->cache_9p != NULL ? spec->cache_9p : VM_9PCACHE_DEFAULT));
	return o;
}

char *
start_message(const struct vm_spec *spec, struct json_object *network,
    const struct start_stdio *io, size_t *len, struct err *err)
{
	AUTO_JSON struct json_object *o = json_object_new_object();
	struct json_object *term;
	const char *text;
	char *copy;

	add_int(o, "version", VM_SPEC_VERSION);
	json_object_object_add(
	    o, "container", json_object_get(spec->container));
	if (spec->rootfs == VM_ROOTFS_9P)
		json_object_object_add(o, "share", share_9p(spec));
	if (spec->dns != NULL)
		json_object_object_add(o, "dns", json_object_get(spec->dns));
	if (io->stdin_null)
		json_object_object_add(
		    o, "stdin_null", json_object_new_boolean(1));
	if (io->terminal) {
		term = json_object_new_object();
		add_int(term, "rows", io->rows);
		add_int(term, "columns", io->columns);
		json_object_object_add(
		    term, "onlcr", json_object_new_boolean(io->onlcr));
		json_object_object_add(o, "terminal", term);
	}
	json_object_object_add(o, "clock", clock_now());
	json_object_object_add(o, "seed", seed());
	if (network != NULL)
		json_object_object_add(o, "network", json_object_get(network));
	text = json_object_to_json_string_length(
	    o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len);
	if (text == NULL || (copy = strdup(text)) == NULL)
		return err_set(err, "START: out of memory"), NULL;
	return copy;
}
