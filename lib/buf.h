/* SPDX-License-Identifier: Apache-2.0
 * A byte queue with an upper bound: append at the end, drain at the front. */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *mem;
	size_t head; /* first byte in use */
	size_t tail; /* first free byte */
	size_t cap;  /* bytes allocated */
	size_t max;  /* bytes that may be in use at once */
};

/* An empty queue that never holds more than max bytes. No allocation. */
void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);

/*
 * Room for n more bytes, to be filled by the caller and then made part of the
 * queue by buf_commit. NULL when the bound would be passed or memory is out;
 * the pointer is good until the next call that is not buf_commit.
 */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

/* Copies n bytes to the end: 0, or -1 when the bound would be passed. */
int buf_append(struct buf *b, const void *data, size_t n);

/* What is in use, oldest first; dropped from the front by buf_drain. */
const uint8_t *buf_data(const struct buf *b);
size_t buf_len(const struct buf *b);
void buf_drain(struct buf *b, size_t n);

#endif
