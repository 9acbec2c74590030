/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a frame header that is accepted is written back the same. */
#include "lib/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t back[WIRE_HEADER];
	struct wire_header h;
	struct err err;

	if (size < WIRE_HEADER || wire_header_get(data, &h, &err) == -1)
		return 0;
	wire_header_put(back, &h);
	if (memcmp(back, data, WIRE_HEADER) != 0 ||
	    strcmp(wire_type_name(h.type), "?") == 0 ||
	    h.length > WIRE_SPEC_MAX)
		abort();
	return 0;
}
