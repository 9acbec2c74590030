/* SPDX-License-Identifier: Apache-2.0
 * A byte queue with an upper bound: append at the end, drain at the front. */
#include "lib/buf.h"

#include <stdlib.h>
#include <string.h>

#define BUF_MIN 4096

void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof *b);
	b->max = max;
}

void
buf_free(struct buf *b)
{
	free(b->mem);
	buf_init(b, b->max);
}

uint8_t *
buf_reserve(struct buf *b, size_t n)
{
	size_t len = b->tail - b->head, cap;
	uint8_t *mem;

	if (n > b->max || len > b->max - n)
		return NULL;
	if (b->cap - b->tail >= n)
		return b->mem + b->tail;
	if (b->cap >= len + n && b->head >= len) {
		/* the free front is large: moving costs less than it gains */
		memcpy(b->mem, b->mem + b->head, len);
	} else {
		cap = b->cap < BUF_MIN ? BUF_MIN : b->cap;
		while (cap < len + n)
			cap *= 2;
		if ((mem = malloc(cap)) == NULL)
			return NULL;
		if (len > 0)
			memcpy(mem, b->mem + b->head, len);
		free(b->mem);
		b->mem = mem;
		b->cap = cap;
	}
	b->head = 0;
	b->tail = len;
	return b->mem + b->tail;
}

void
buf_commit(struct buf *b, size_t n)
{
	b->tail += n;
}

int
buf_append(struct buf *b, const void *data, size_t n)
{
	uint8_t *p;

	if (n == 0)
		return 0;
	if ((p = buf_reserve(b, n)) == NULL)
		return -1;
	memcpy(p, data, n);
	buf_commit(b, n);
	return 0;
}

const uint8_t *
buf_data(const struct buf *b)
{
	return b->mem + b->head;
}

size_t
buf_len(const struct buf *b)
{
	return b->tail - b->head;
}

void
buf_drain(struct buf *b, size_t n)
{
	b->head += n;
	if (b->head == b->tail)
		b->head = b->tail = 0;
}
