/* SPDX-License-Identifier: Apache-2.0
 * Messages between QEMU's file system driver "proxy" and its server. */
#include "supervisor/ninepd_msg.h"

#include <string.h>

/* n bytes of the request, or NULL. */
static uint8_t *
take(struct ninep_request *r, size_t n)
{
	uint8_t *p = r->p;

	if (r->bad || n > r->left) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

uint32_t
ninep_get_u32(struct ninep_request *r)
{
	uint32_t v = 0;
	const uint8_t *p = take(r, sizeof v);

	if (p != NULL)
		memcpy(&v, p, sizeof v);
	return v;
}

uint64_t
ninep_get_u64(struct ninep_request *r)
{
	uint64_t v = 0;
	const uint8_t *p = take(r, sizeof v);

	if (p != NULL)
		memcpy(&v, p, sizeof v);
	return v;
}

const void *
ninep_get_bytes(struct ninep_request *r, size_t *n)
{
	uint16_t len = 0;
	const uint8_t *p = take(r, sizeof len);

	if (p != NULL)
		memcpy(&len, p, sizeof len);
	*n = len;
	return take(r, len);
}

const char *
ninep_get_str(struct ninep_request *r)
{
	size_t n;
	const uint8_t *p = ninep_get_bytes(r, &n);
	char *s;

	/* paths come with a zero byte at the end, names without */
	if (p != NULL && n > 0 && p[n - 1] == '\0')
		n--;
	if (p == NULL || memchr(p, '\0', n) != NULL) {
		r->bad = true;
		return "";
	}
	/* the length was before it: room for the zero byte */
	s = (char *)p - 1;
	memmove(s, p, n);
	s[n] = '\0';
	return s;
}

bool
ninep_get_end(const struct ninep_request *r)
{
	return !r->bad && r->left == 0;
}

static void
put(struct ninep_reply *r, const void *p, size_t n)
{
	memcpy(r->buf + r->len, p, n);
	r->len += n;
}

void
ninep_put_u32(struct ninep_reply *r, uint32_t v)
{
	put(r, &v, sizeof v);
}

void
ninep_put_u64(struct ninep_reply *r, uint64_t v)
{
	put(r, &v, sizeof v);
}

void
ninep_put_bytes(struct ninep_reply *r, const void *p, size_t n)
{
	const uint16_t len = (uint16_t)n;

	put(r, &len, sizeof len);
	put(r, p, n);
}
