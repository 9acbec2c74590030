/* SPDX-License-Identifier: Apache-2.0
 * The frames that supervisor and agent exchange: layout, types, limits. */
#include "lib/wire.h"

static const struct {
	const char *name;
	uint32_t min, max; /* payload, bytes */
} wire_types[WIRE_TYPE_END] = {
    [WIRE_HELLO] = {"HELLO", 8, 8 + WIRE_TEXT_MAX},
    [WIRE_STARTED] = {"STARTED", 4, 4},
    [WIRE_FAILED] = {"FAILED", 4, 4 + WIRE_TEXT_MAX},
    [WIRE_EXIT] = {"EXIT", 4, 4},
    [WIRE_LOG] = {"LOG", 4, 4 + WIRE_TEXT_MAX},
    [WIRE_START] = {"START", 2, WIRE_SPEC_MAX},
    [WIRE_EXEC] = {"EXEC", 2, WIRE_SPEC_MAX},
    [WIRE_SIGNAL] = {"SIGNAL", 4, 4},
    [WIRE_RESIZE] = {"RESIZE", 8, 8},
    [WIRE_DATA] = {"DATA", 1, WIRE_DATA_MAX},
    [WIRE_EOF] = {"EOF", 0, 0},
    [WIRE_CREDIT] = {"CREDIT", 4, 4},
    [WIRE_STOP] = {"STOP", 0, 0},
    [WIRE_DNS_QUERY] = {"DNS_QUERY", WIRE_DNS_QUERY_HEAD + 12,
	WIRE_DNS_QUERY_HEAD + WIRE_DNS_MAX},
    [WIRE_DNS_ANSWER] = {"DNS_ANSWER", 4, 4 + WIRE_DNS_MAX},
};

const char *
wire_type_name(enum wire_type type)
{
	if (type <= 0 || type >= WIRE_TYPE_END)
		return "?";
	return wire_types[type].name;
}

void
wire_header_put(uint8_t *p, const struct wire_header *h)
{
	p[0] = (uint8_t)h->type;
	p[1] = p[2] = p[3] = 0;
	wire_put_u32(p + 4, h->id);
	wire_put_u32(p + 8, h->length);
}

int
wire_header_get(const uint8_t *p, struct wire_header *h, struct err *err)
{
	unsigned type = p[0];

	if (type == 0 || type >= WIRE_TYPE_END)
		return err_set(err, "frame of unknown type %u", type);
	if (p[1] != 0 || p[2] != 0 || p[3] != 0)
		return err_set(err, "%s frame with reserved bytes set",
		    wire_types[type].name);
	h->type = (enum wire_type)type;
	h->id = wire_get_u32(p + 4);
	h->length = wire_get_u32(p + 8);
	if (h->length < wire_types[type].min ||
	    h->length > wire_types[type].max)
		return err_set(err, "%s frame of %u bytes (allowed: %u to %u)",
		    wire_types[type].name, h->length, wire_types[type].min,
		    wire_types[type].max);
	return 0;
}
