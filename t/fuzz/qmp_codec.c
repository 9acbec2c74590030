/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: what a QEMU that was taken over might say on QMP. */
#include "qmp/codec.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Feeds data in steps; returns what was understood, folded into a number. */
static uint64_t
feed(const char *data, size_t size, size_t step)
{
	struct qmp_codec *c = qmp_codec_new();
	struct qmp_message m;
	struct err err;
	uint64_t seen = 0;
	size_t len, n;
	int r = 0;

	for (size_t at = 0; r == 0 && at < size; at += n) {
		n = step < size - at ? step : size - at;
		if (qmp_codec_input(c, data + at, n, &err) == -1)
			break;
		while ((r = qmp_codec_next(c, &m, &err)) == 1) {
			seen = seen * 31 + (uint64_t)m.kind + m.id + 1;
			free(qmp_encode("x", m.data, m.id, &len));
			qmp_message_clear(&m);
		}
	}
	qmp_codec_free(c);
	return seen;
}

/* How the bytes are split must not matter. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step;

	if (size < 2 || size > QMP_MESSAGE_MAX)
		return 0;
	step = (size_t)data[0] + 1;
	if (feed((const char *)data + 1, size - 1, size) !=
	    feed((const char *)data + 1, size - 1, step))
		abort();
	return 0;
}
