/* SPDX-License-Identifier: Apache-2.0
 * TLS as both ends of runq-exec want it: 1.3 and nothing else, each side shows
 * a certificate for its role by the authority that the other trusts, nothing
 * is resumed. */
#ifndef LIB_TLS_H
#define LIB_TLS_H

#include <stddef.h>

#include "lib/err.h"

struct ssl_ctx_st; /* SSL_CTX */
struct ssl_st;	   /* SSL */

enum tls_role {
	TLS_SERVER,
	TLS_CLIENT
};

/* PEM texts, and what to call them in errors. */
struct tls_pem {
	const char *ca, *cert, *key;
	const char *ca_name, *cert_name, *key_name;
};

/*
 * A context for that role: peers must have a certificate that is valid now, by
 * an authority of pem->ca, for the other role (extended key usage, which must
 * be there: RFC 5280, 4.2.1.12). NULL with err. SSL_CTX_free() it.
 */
struct ssl_ctx_st *
tls_context(enum tls_role self, const struct tls_pem *pem, struct err *err);

/* Would our certificate pass at a peer that trusts the same authority? -1 and
 * a sentence that says why not. */
int tls_check_own(struct ssl_ctx_st *ctx, enum tls_role self,
    const struct tls_pem *pem, struct err *err);

/* Why the peer's certificate was refused: "has expired (at ...)", the end of a
 * sentence. NULL: it was not. */
const char *tls_refusal(
    const struct ssl_st *ssl, enum tls_role peer, char *buf, size_t size);

#endif
