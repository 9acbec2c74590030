/* SPDX-License-Identifier: Apache-2.0
 * The client's end of runq-exec's TLS. */
#include "runtime/rexec_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/cleanup.h"
#include "lib/rexec.h"
#include "lib/tls.h"
#include "runtime/slurp.h"
#include "runtime/xalloc.h"

#define PEM_MAX (1u << 20)

struct rexec_tls {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	/* what the last try of each waits for: POLLIN, POLLOUT or 0 */
	short read_waits, write_waits;
	char *ca_name, *cert_name;
};

/* ---- files --------------------------------------------------------------- */

static char *
read_file(const char *path, const char *what, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text = NULL;
	struct buf b;

	if (fd == -1) {
		err_sys(err, "%s %.512s", what, path);
		return NULL;
	}
	buf_init(&b, PEM_MAX);
	if (slurp(fd, path, &b, err) == 0)
		text =
		    xstrndup(buf_len(&b) > 0 ? (const char *)buf_data(&b) : "",
			buf_len(&b));
	if (buf_len(&b) > 0)
		explicit_bzero(b.mem, b.cap);
	buf_free(&b);
	return text;
}

static void
wipe(char *s)
{
	if (s != NULL)
		explicit_bzero(s, strlen(s));
	free(s);
}

struct rexec_tls *
rexec_tls_new(
    const char *ca, const char *cert, const char *key, struct err *err)
{
	struct rexec_tls *t = xcalloc(1, sizeof *t);
	AUTO_FREE char *ca_text = NULL, *cert_text = NULL;
	char *key_text = NULL;
	struct tls_pem pem;

	t->fd = -1;
	t->ca_name = xstrdup(ca);
	t->cert_name = xstrdup(cert);
	if ((ca_text = read_file(ca, "authority", err)) != NULL &&
	    (cert_text = read_file(cert, "certificate", err)) != NULL &&
	    (key_text = read_file(key, "private key", err)) != NULL) {
		pem = (struct tls_pem){
		    ca_text, cert_text, key_text, ca, cert, key};
		t->ctx = tls_context(TLS_CLIENT, &pem, err);
		wipe(key_text);
		if (t->ctx != NULL &&
		    tls_check_own(t->ctx, TLS_CLIENT, &pem, err) == 0)
			return t;
	}
	rexec_tls_free(t);
	return NULL;
}

void
rexec_tls_free(struct rexec_tls *t)
{
	if (t == NULL)
		return;
	if (t->ssl != NULL && SSL_is_init_finished(t->ssl))
		SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	cleanup_closep(&t->fd);
	free(t->ca_name);
	free(t->cert_name);
	free(t);
}

/* ---- connection ---------------------------------------------------------- */

int
rexec_tls_connect(struct rexec_tls *t, const char *id, struct err *err)
{
	char name[REXEC_NAME_SIZE];
	struct sockaddr_un sa;
	socklen_t len;

	SSL_free(t->ssl); /* of an earlier try */
	t->ssl = NULL;
	cleanup_closep(&t->fd);
	t->fd = -1;
	t->read_waits = t->write_waits = 0;
	errno = EINVAL;
	if (rexec_addr(id, &sa, &len, err) == -1)
		return -1;
	rexec_name(id, name);
	/* all that takes time before connect(2): who is connected and silent
	 * does not wait well over there */
	t->ssl = SSL_new(t->ctx);
	t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->fd == -1)
		return err_sys(err, "socket");
	if (t->ssl == NULL || SSL_set_tlsext_host_name(t->ssl, name) != 1 ||
	    SSL_set_fd(t->ssl, t->fd) != 1)
		return err_set(err, "TLS: out of memory");
	SSL_set_connect_state(t->ssl);
	/* blocking: a full queue is waited for */
	if (connect(t->fd, (const struct sockaddr *)&sa, len) == -1 ||
	    fcntl(t->fd, F_SETFL, O_NONBLOCK) == -1)
		return err_sys(err, "connect to @%.128s", sa.sun_path + 1);
	return 0;
}

struct pollfd
rexec_tls_poll(const struct rexec_tls *t, int want_write)
{
	struct pollfd p = {.fd = t->fd, .events = POLLIN};

	if (want_write)
		p.events |= t->write_waits != 0 ? t->write_waits : POLLOUT;
	p.events |= t->read_waits;
	return p;
}

/* ---- what went wrong ----------------------------------------------------- */

/* Alerts of the supervisor (RFC 8446, 6.2), as OpenSSL names them. */
static const struct {
	int reason;
	const char *text;
} alerts[] = {
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "has expired"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "is not valid"},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
	"is not a client's (were client and server swapped?)"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA,
	"is foreign: not by the authority that the container was started "
	"with"},
    {SSL_R_TLSV1_ALERT_DECRYPT_ERROR,
	"is foreign: not by the authority that the container was started "
	"with"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "is not accepted"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "was not shown"},
};

static int
explain(const struct rexec_tls *t, struct err *err)
{
	unsigned long e = ERR_get_error();
	int reason = ERR_GET_REASON(e);
	const char *text = ERR_reason_error_string(e);
	char why[200];

	ERR_clear_error();
	if (tls_refusal(t->ssl, TLS_SERVER, why, sizeof why) != NULL)
		return err_set(err,
		    "the certificate that the container's supervisor shows %s "
		    "(authority: %s)",
		    why, t->ca_name);
	if (reason == SSL_R_TLSV1_UNRECOGNIZED_NAME)
		return err_set(err, "another container answered");
	for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++)
		if (alerts[i].reason == reason)
			return err_set(err,
			    "the container refuses us: the certificate %s %s",
			    t->cert_name, alerts[i].text);
	return err_set(err, "TLS: %s", text != NULL ? text : "broken");
}

static ssize_t
result(struct rexec_tls *t, int r, short *waits, struct err *err)
{
	int saved = errno;

	*waits = 0;
	if (r > 0)
		return r;
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		*waits = POLLIN;
		return 0;
	case SSL_ERROR_WANT_WRITE:
		*waits = POLLOUT;
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		err->msg[0] = '\0';
		return -1;
	case SSL_ERROR_SSL:
		/* OpenSSL 3: also an end without a good-bye */
		if (ERR_GET_REASON(ERR_peek_error()) !=
		    SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return explain(t, err);
		break;
	default:
		break;
	}
	ERR_clear_error();
	if (SSL_get_verify_result(t->ssl) != X509_V_OK)
		return explain(t, err);
	errno = saved;
	if (errno != 0 && errno != EPIPE && errno != ECONNRESET)
		return err_sys(err, "connection to the container");
	err->msg[0] = '\0';
	return -1;
}

ssize_t
rexec_tls_read(struct rexec_tls *t, void *p, size_t n, struct err *err)
{
	errno = 0;
	return result(t, SSL_read(t->ssl, p, (int)n), &t->read_waits, err);
}

ssize_t
rexec_tls_write(struct rexec_tls *t, const void *p, size_t n, struct err *err)
{
	errno = 0;
	return result(t, SSL_write(t->ssl, p, (int)n), &t->write_waits, err);
}
