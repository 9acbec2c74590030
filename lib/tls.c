/* SPDX-License-Identifier: Apache-2.0
 * TLS as both ends of runq-exec want it. */
#include "lib/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Own certificates with their intermediate ones. */
#define CHAIN_MAX 8

static int
openssl_error(struct err *err, const char *what, const char *problem)
{
	unsigned long e = ERR_peek_last_error();
	const char *why = ERR_reason_error_string(e);

	ERR_clear_error();
	if (why == NULL)
		return err_set(err, "%s: %s", what, problem);
	return err_set(err, "%s: %s (%s)", what, problem, why);
}

/* ---- certificates -------------------------------------------------------- */

/* Nobody types a passphrase here. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

/* Calls use() for each certificate of a PEM text, which may take a reference
 * of its own. How many; -1 when one is broken. */
static int
each_cert(const char *pem, int (*use)(void *arg, X509 *x, int i), void *arg)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	bool end;
	X509 *x;
	int n = 0;

	if (bio == NULL)
		return -1;
	while (n <= CHAIN_MAX &&
	    (x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
		int r = use(arg, x, n++);

		X509_free(x);
		if (r != 1) {
			BIO_free(bio);
			return -1;
		}
	}
	end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	BIO_free(bio);
	if (!end || n > CHAIN_MAX)
		return -1;
	ERR_clear_error();
	return n;
}

static int
use_ca(void *arg, X509 *x, int i)
{
	(void)i;
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(arg), x);
}

static int
use_own(void *arg, X509 *x, int i)
{
	return i == 0 ? SSL_CTX_use_certificate(arg, x)
		      : (int)SSL_CTX_add1_chain_cert(arg, x);
}

static int
load(SSL_CTX *ctx, const struct tls_pem *pem, struct err *err)
{
	EVP_PKEY *key;
	BIO *bio;
	int r;

	if (each_cert(pem->ca, use_ca, ctx) < 1)
		return openssl_error(
		    err, pem->ca_name, "not a PEM file of certificates");
	if (each_cert(pem->cert, use_own, ctx) < 1)
		return openssl_error(
		    err, pem->cert_name, "not a PEM file of a certificate");
	bio = BIO_new_mem_buf(pem->key, -1);
	key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (key == NULL)
		return openssl_error(err, pem->key_name,
		    "not a PEM file of a private key without a passphrase");
	r = SSL_CTX_use_PrivateKey(ctx, key);
	EVP_PKEY_free(key);
	if (r != 1 || SSL_CTX_check_private_key(ctx) != 1) {
		ERR_clear_error();
		return err_set(err, "%s: not the key of %s", pem->key_name,
		    pem->cert_name);
	}
	return 0;
}

/* ---- verification -------------------------------------------------------- */

static bool
is_for(X509 *x, enum tls_role role)
{
	uint32_t usage = X509_get_extended_key_usage(x);

	/* UINT32_MAX: the extension is not there; then a certificate for one
	 * role would do for the other */
	return usage != UINT32_MAX &&
	    (usage & (role == TLS_SERVER ? XKU_SSL_SERVER : XKU_SSL_CLIENT));
}

/* Beside what OpenSSL checks itself. */
static int
check_leaf(int good, X509_STORE_CTX *ctx, enum tls_role role)
{
	if (!good || X509_STORE_CTX_get_error_depth(ctx) != 0 ||
	    is_for(X509_STORE_CTX_get_current_cert(ctx), role))
		return good;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_INVALID_PURPOSE);
	return 0;
}

static int
check_server_cb(int good, X509_STORE_CTX *ctx)
{
	return check_leaf(good, ctx, TLS_SERVER);
}

static int
check_client_cb(int good, X509_STORE_CTX *ctx)
{
	return check_leaf(good, ctx, TLS_CLIENT);
}

static const char *
date(const ASN1_TIME *t, char *buf, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n = 0;

	if (bio != NULL && ASN1_TIME_print(bio, t) == 1)
		n = BIO_read(bio, buf, (int)size - 1);
	BIO_free(bio);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static const char *
reason(long error, X509 *x, enum tls_role role, char *buf, size_t size)
{
	const char *name = role == TLS_SERVER ? "server" : "client";
	char when[64] = "?";

	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		if (x != NULL)
			date(X509_get0_notAfter(x), when, sizeof when);
		snprintf(buf, size, "has expired (it ended at %s)", when);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		if (x != NULL)
			date(X509_get0_notBefore(x), when, sizeof when);
		snprintf(buf, size, "is not valid yet (it begins at %s)", when);
		break;
	case X509_V_ERR_INVALID_PURPOSE:
		snprintf(buf, size,
		    "is not a %s's (were client and server "
		    "swapped?)",
		    name);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		snprintf(buf, size,
		    "is foreign: not by the authority that "
		    "is trusted here");
		break;
	default:
		snprintf(buf, size, "was refused: %s",
		    X509_verify_cert_error_string(error));
	}
	return buf;
}

const char *
tls_refusal(
    const struct ssl_st *ssl, enum tls_role peer, char *buf, size_t size)
{
	long error = SSL_get_verify_result(ssl);

	if (error == X509_V_OK)
		return NULL;
	return reason(error, SSL_get0_peer_certificate(ssl), peer, buf, size);
}

int
tls_check_own(struct ssl_ctx_st *ctx, enum tls_role self,
    const struct tls_pem *pem, struct err *err)
{
	X509_STORE_CTX *sc = X509_STORE_CTX_new();
	X509 *own = SSL_CTX_get0_certificate(ctx);
	STACK_OF(X509) *chain = NULL;
	char why[200];
	int error = X509_V_ERR_OUT_OF_MEM;

	SSL_CTX_get0_chain_certs(ctx, &chain);
	if (sc != NULL &&
	    X509_STORE_CTX_init(sc, SSL_CTX_get_cert_store(ctx), own, chain) ==
		1 &&
	    X509_STORE_CTX_set_default(
		sc, self == TLS_SERVER ? "ssl_server" : "ssl_client") == 1) {
		X509_VERIFY_PARAM_set_flags(
		    X509_STORE_CTX_get0_param(sc), X509_V_FLAG_PARTIAL_CHAIN);
		X509_STORE_CTX_set_verify_cb(
		    sc, self == TLS_SERVER ? check_server_cb : check_client_cb);
		error = X509_verify_cert(sc) == 1
		    ? X509_V_OK
		    : X509_STORE_CTX_get_error(sc);
	}
	X509_STORE_CTX_free(sc);
	ERR_clear_error();
	if (error == X509_V_OK)
		return 0;
	return err_set(err, "the certificate %s %s", pem->cert_name,
	    reason(error, own, self, why, sizeof why));
}

/* ---- context ------------------------------------------------------------- */

static int
configure(SSL_CTX *ctx, enum tls_role self)
{
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* whoever is in the file is trusted, a root or not */
	X509_VERIFY_PARAM_set_flags(
	    SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
	SSL_CTX_set_verify_depth(ctx, CHAIN_MAX);
	SSL_CTX_set_verify(ctx,
	    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
	    self == TLS_SERVER ? check_client_cb : check_server_cb);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
		SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
		SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
		SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1
	    ? 0
	    : -1;
}

struct ssl_ctx_st *
tls_context(enum tls_role self, const struct tls_pem *pem, struct err *err)
{
	SSL_CTX *ctx;

	/* nothing of the host's openssl.cnf plays a part */
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	ctx = SSL_CTX_new(
	    self == TLS_SERVER ? TLS_server_method() : TLS_client_method());
	if (ctx == NULL || configure(ctx, self) == -1) {
		openssl_error(err, "TLS", "cannot be set up");
	} else if (load(ctx, pem, err) == 0) {
		return ctx;
	}
	SSL_CTX_free(ctx);
	return NULL;
}
