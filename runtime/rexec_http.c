/* SPDX-License-Identifier: Apache-2.0
 * Reads one HTTP/1.1 response. */
#include "runtime/rexec_http.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
http_init(struct http *h, size_t max)
{
	*h = (struct http){.state = HTTP_STATUS};
	buf_init(&h->body, max);
}

void
http_free(struct http *h)
{
	buf_free(&h->body);
}

/* ---- lines --------------------------------------------------------------- */

static int
got_status(struct http *h, struct err *err)
{
	const char *s = h->line;

	if (strncmp(s, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)s[7]) ||
	    s[8] != ' ' || strspn(s + 9, "0123456789") != 3 ||
	    (s[12] != ' ' && s[12] != '\0'))
		return err_set(err, "not an HTTP/1 response: \"%.64s\"", s);
	h->status = atoi(s + 9);
	h->state = HTTP_HEADER;
	return 0;
}

/* Digits of that base, nothing else; false when there are none or too many. */
static bool
number(const char *s, int base, uint64_t *out)
{
	const char *digits =
	    base == 10 ? "0123456789" : "0123456789abcdefABCDEF";
	size_t n = strspn(s, digits);

	if (n == 0 || n > 15)
		return false;
	*out = strtoull(s, NULL, base);
	s += n;
	/* a chunk's size may have extensions, a field white space after it */
	s += strspn(s, " \t");
	return *s == '\0' || (base == 16 && *s == ';');
}

static int
got_field(struct http *h, struct err *err)
{
	char *value = strchr(h->line, ':');

	if (value == NULL || value == h->line)
		return err_set(err, "not an HTTP header: \"%.64s\"", h->line);
	*value++ = '\0';
	value += strspn(value, " \t");
	if (strcasecmp(h->line, "Content-Length") == 0) {
		if (h->has_length || !number(value, 10, &h->left))
			return err_set(err, "Content-Length: \"%.64s\"", value);
		h->has_length = true;
	} else if (strcasecmp(h->line, "Transfer-Encoding") == 0) {
		if (h->chunked || strcasecmp(value, "chunked") != 0)
			return err_set(err,
			    "Transfer-Encoding: \"%.64s\" (allowed: chunked)",
			    value);
		h->chunked = true;
	}
	return 0;
}

/* Which body follows: RFC 9112, 6.3. */
static void
headers_end(struct http *h)
{
	if (h->status / 100 == 1) { /* interim: the response follows */
		h->state = HTTP_STATUS;
		h->chunked = h->has_length = false;
	} else if (h->status == 204 || h->status == 304) {
		h->state = HTTP_DONE;
	} else if (h->chunked) {
		h->state = HTTP_CHUNK_SIZE;
	} else if (h->has_length) {
		h->state = h->left > 0 ? HTTP_BODY : HTTP_DONE;
	} else {
		h->state = HTTP_REST;
	}
}

static int
got_line(struct http *h, struct err *err)
{
	bool empty = h->line[0] == '\0';

	if (++h->lines > HTTP_LINES_MAX && h->state != HTTP_CHUNK_SIZE &&
	    h->state != HTTP_CHUNK_END)
		return err_set(
		    err, "more than %d HTTP headers", HTTP_LINES_MAX);
	switch (h->state) {
	case HTTP_STATUS:
		return got_status(h, err);
	case HTTP_HEADER:
		if (!empty)
			return got_field(h, err);
		headers_end(h);
		return 0;
	case HTTP_CHUNK_SIZE:
		if (!number(h->line, 16, &h->left))
			return err_set(err, "chunk size \"%.32s\"", h->line);
		h->lines = 0;
		h->state = h->left > 0 ? HTTP_CHUNK : HTTP_TRAILER;
		return 0;
	case HTTP_CHUNK_END:
		if (!empty)
			return err_set(err, "no end of line after a chunk");
		h->state = HTTP_CHUNK_SIZE;
		return 0;
	default:
		if (empty)
			h->state = HTTP_DONE;
		return 0;
	}
}

/* Takes bytes up to the end of the line: how many, or -1. */
static ssize_t
take_line(struct http *h, const char *p, size_t len, struct err *err)
{
	const char *nl = memchr(p, '\n', len);
	size_t n = nl != NULL ? (size_t)(nl - p) : len;

	if (h->line_len + n >= sizeof h->line)
		return err_set(err, "an HTTP line of more than %zu bytes",
		    sizeof h->line - 1);
	memcpy(h->line + h->line_len, p, n);
	h->line_len += n;
	if (nl == NULL)
		return (ssize_t)n;
	if (memchr(h->line, '\0', h->line_len) != NULL)
		return err_set(err, "an HTTP line with a NUL byte");
	if (h->line_len > 0 && h->line[h->line_len - 1] == '\r')
		h->line_len--;
	h->line[h->line_len] = '\0';
	h->line_len = 0;
	return got_line(h, err) == -1 ? -1 : (ssize_t)n + 1;
}

/* ---- body ---------------------------------------------------------------- */

static ssize_t
take_body(struct http *h, const char *p, size_t len, struct err *err)
{
	if (h->state != HTTP_REST && len > h->left)
		len = (size_t)h->left;
	if (buf_append(&h->body, p, len) == -1)
		return err_set(
		    err, "an HTTP body of more than %zu bytes", h->body.max);
	if (h->state == HTTP_REST)
		return (ssize_t)len;
	h->left -= len;
	if (h->left == 0)
		h->state = h->state == HTTP_BODY ? HTTP_DONE : HTTP_CHUNK_END;
	return (ssize_t)len;
}

int
http_feed(struct http *h, const void *data, size_t len, struct err *err)
{
	const char *p = data;
	ssize_t n;

	while (len > 0 && h->state != HTTP_DONE) {
		if (h->state == HTTP_BODY || h->state == HTTP_REST ||
		    h->state == HTTP_CHUNK)
			n = take_body(h, p, len, err);
		else
			n = take_line(h, p, len, err);
		if (n == -1)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
http_end(struct http *h, struct err *err)
{
	if (h->state == HTTP_REST)
		h->state = HTTP_DONE;
	if (h->state != HTTP_DONE)
		return err_set(err, "the HTTP response ended early");
	return 0;
}
