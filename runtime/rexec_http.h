/* SPDX-License-Identifier: Apache-2.0
 * Reads one HTTP/1.1 response (RFC 9112), with a bound on everything. It does
 * no I/O. */
#ifndef RUNTIME_REXEC_HTTP_H
#define RUNTIME_REXEC_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

#define HTTP_LINE_MAX 8192
#define HTTP_LINES_MAX 128

enum http_state {
	HTTP_STATUS,
	HTTP_HEADER,
	HTTP_BODY,	 /* as long as Content-Length said */
	HTTP_REST,	 /* up to the end of the connection */
	HTTP_CHUNK_SIZE, /* chunked, RFC 9112, 7.1 */
	HTTP_CHUNK,
	HTTP_CHUNK_END,
	HTTP_TRAILER,
	HTTP_DONE
};

struct http {
	enum http_state state;
	int status;	 /* 200 */
	struct buf body; /* read it when DONE */
	/* the parser's own */
	char line[HTTP_LINE_MAX];
	size_t line_len;
	unsigned lines;
	bool chunked, has_length;
	uint64_t left;
};

/* A body of more than max bytes is an error. */
void http_init(struct http *h, size_t max);
void http_free(struct http *h);

/* Bytes as they come, any split; what follows a whole response is ignored.
 * Look at h->state for HTTP_DONE. */
int http_feed(struct http *h, const void *data, size_t len, struct err *err);

/* The connection has ended: -1 when the response was not whole. */
int http_end(struct http *h, struct err *err);

#endif
