/* SPDX-License-Identifier: Apache-2.0
 * The supervisor's end of runq-exec's TLS. */
#include "supervisor/tls.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/rexec.h"
#include "lib/tls.h"

/* A client's certificates, bytes. */
#define PEER_CHAIN_MAX 32768

struct tls {
	SSL_CTX *ctx;
	char name[REXEC_NAME_SIZE];
};

/* Who asks for another container is at the wrong address; nobody may stand in
 * for it. Called also when the client names none. */
static int
tls_name_cb(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct tls *t = arg;

	if (name != NULL && strcmp(name, t->name) == 0)
		return SSL_TLSEXT_ERR_OK;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

struct tls *
tls_new(const struct vm_tls *pem, const char *id, struct err *err)
{
	const struct tls_pem p = {pem->ca, pem->cert, pem->key, "certs/ca.pem",
	    "certs/cert.pem", "certs/key.pem"};
	struct tls *t = calloc(1, sizeof *t);

	if (t == NULL) {
		err_set(err, "out of memory");
		return NULL;
	}
	/* gmtime(3), in the check of dates, would open files for it later */
	tzset();
	rexec_name(id, t->name);
	if ((t->ctx = tls_context(TLS_SERVER, &p, err)) == NULL) {
		free(t);
		return NULL;
	}
	SSL_CTX_set_tlsext_servername_callback(t->ctx, tls_name_cb);
	SSL_CTX_set_tlsext_servername_arg(t->ctx, t);
	SSL_CTX_set_max_cert_list(t->ctx, PEER_CHAIN_MAX);
	/* no early data: nothing is resumed */
	SSL_CTX_set_max_early_data(t->ctx, 0);
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

struct bufferevent *
tls_accept(struct tls *t, struct event_base *base, int fd)
{
	struct bufferevent *bev;
	SSL *ssl = SSL_new(t->ctx);

	if (ssl == NULL)
		return NULL;
	bev = bufferevent_openssl_socket_new(
	    base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	/* an end without a good-bye is an end */
	if (bev != NULL)
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

void
tls_close(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	/* ours is sent, the peer's is not waited for */
	if (SSL_is_init_finished(ssl)) {
		SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
		SSL_shutdown(ssl);
	}
	ERR_clear_error();
	bufferevent_free(bev);
}

void
tls_failure(struct bufferevent *bev, char *buf, size_t size)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	unsigned long e = bufferevent_get_openssl_error(bev);
	const char *text = ERR_reason_error_string(e);
	char why[200];

	if (tls_refusal(ssl, TLS_CLIENT, why, sizeof why) != NULL)
		snprintf(buf, size, "the client's certificate %s", why);
	else
		snprintf(buf, size, "%s",
		    text != NULL ? text : "the client went away");
}

void
tls_client(struct bufferevent *bev, char *buf, size_t size)
{
	const SSL *ssl = bufferevent_openssl_get_ssl(bev);
	X509 *x = SSL_get0_peer_certificate(ssl);

	if (x == NULL ||
	    X509_NAME_get_text_by_NID(
		X509_get_subject_name(x), NID_commonName, buf, (int)size) < 0)
		snprintf(buf, size, "?");
}
