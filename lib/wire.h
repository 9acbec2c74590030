/* SPDX-License-Identifier: Apache-2.0
 * The frames that supervisor and agent exchange: layout, types, limits.
 *
 * A frame is a 12-byte header and a payload; all integers are big-endian:
 *
 *	0       1       2               4               8              12
 *	| type  |   0   |       0       |      id       |    length     |
 *
 * id names a session (0 is the entry point, 1 and up are exec sessions) or,
 * in the four stream frames, a stream: session * 4 + {0 stdin, 1 stdout,
 * 2 stderr}. A session with a terminal uses streams 0 and 1 only.
 */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define WIRE_VERSION 2
#define WIRE_MAGIC 0x52554e51u /* "RUNQ" */
#define WIRE_HEADER 12

/* Payload limits, bytes. Host to agent only START and EXEC may be large. */
#define WIRE_DATA_MAX 65536
#define WIRE_SPEC_MAX (16u << 20)
#define WIRE_TEXT_MAX 1024
#define WIRE_DNS_MAX 65535
#define WIRE_DNS_QUERY_HEAD 24

/* Bytes in flight on one stream that its receiver has not consumed: when it
 * begins, and what its receiver may make of that. */
#define WIRE_WINDOW_MIN 16384u
#define WIRE_WINDOW_MAX 262144u

#define WIRE_SESSIONS_MAX 1024

enum wire_type {
	/* agent to host */
	WIRE_HELLO = 1, /* u32 magic, u32 version; first frame of all. To
			 * runq-exec also text: the container's id */
	WIRE_STARTED,	/* session: u32 pid in the guest */
	WIRE_FAILED,	/* session: u32 exit code (125-127), text */
	WIRE_EXIT,	/* session: u32 exit code (0-255); after its streams'
			 * last DATA and EOF */
	WIRE_LOG,	/* u32 enum log_level, text */
	/* host to agent */
	WIRE_START,  /* session 0: JSON, doc/protocol.md */
	WIRE_EXEC,   /* session 1 and up: JSON, the process alone */
	WIRE_SIGNAL, /* session: u32 signal number (1-64) */
	WIRE_RESIZE, /* session: u32 rows, u32 columns (each 0-65535) */
	/* both ways; id is a stream */
	WIRE_DATA,   /* 1 to WIRE_DATA_MAX bytes */
	WIRE_EOF,    /* the writer is done */
	WIRE_CREDIT, /* u32: the window grows by so many bytes */
	WIRE_STOP,   /* the reader is gone; the writer gets EPIPE */
	/* both ways; session 0; lib/dns_relay.h */
	WIRE_DNS_QUERY,	 /* WIRE_DNS_QUERY_HEAD bytes, message */
	WIRE_DNS_ANSWER, /* u32 query, message or nothing */
	WIRE_TYPE_END
};

enum wire_stream {
	WIRE_STDIN = 0,
	WIRE_STDOUT = 1,
	WIRE_STDERR = 2
};

static inline uint32_t
wire_stream_id(uint32_t session, enum wire_stream s)
{
	return session * 4 + (uint32_t)s;
}

static inline uint32_t
wire_session_of(uint32_t stream)
{
	return stream / 4;
}

struct wire_header {
	enum wire_type type;
	uint32_t id;
	uint32_t length;
};

/* Writes WIRE_HEADER bytes. */
void wire_header_put(uint8_t *p, const struct wire_header *h);

/* Reads WIRE_HEADER bytes; -1 when type, reserved bytes or length are not of
 * this protocol. */
int wire_header_get(const uint8_t *p, struct wire_header *h, struct err *err);

/* The name of a type for the log, "?" for others. */
const char *wire_type_name(enum wire_type type);

static inline void
wire_put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline uint32_t
wire_get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

#endif
