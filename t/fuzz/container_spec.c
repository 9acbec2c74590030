/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: the agent's reading of START's container and dns. */
#include "guest-agent/spec.h"

#include <stdint.h>

#include "lib/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *container = NULL, *dns = NULL;
	struct container_spec spec;
	struct err err;
	AUTO_JSON struct json_object *o =
	    json_parse((const char *)data, size, "fuzz", &err);

	if (o == NULL || json_opt_obj(o, "", "container", &container, &err) ||
	    json_opt_obj(o, "", "dns", &dns, &err) || container == NULL)
		return 0;
	(void)container_spec_parse(container, dns, &spec, &err);
	container_spec_free(&spec);
	return 0;
}
