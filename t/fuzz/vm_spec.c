/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a VM spec that is accepted survives writing and reading. */
#include "lib/vm_spec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *
rewrite(const char *text, size_t size, size_t *len)
{
	struct vm_spec spec;
	struct err err;
	char *out = NULL;

	if (vm_spec_parse(text, size, &spec, &err) == 0 &&
	    (out = vm_spec_serialize(&spec, len)) == NULL)
		abort();
	vm_spec_free(&spec);
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len, len2;
	AUTO_FREE char *first = rewrite((const char *)data, size, &len);
	AUTO_FREE char *second = NULL;

	if (first == NULL)
		return 0;
	second = rewrite(first, len, &len2);
	if (second == NULL || len2 != len || memcmp(first, second, len) != 0)
		abort();
	return 0;
}
