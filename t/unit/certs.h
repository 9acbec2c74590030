/* SPDX-License-Identifier: Apache-2.0
 * Certificates for tests, good ones and bad ones, as PEM files. */
#ifndef T_UNIT_CERTS_H
#define T_UNIT_CERTS_H

enum cert_use {
	CERT_CA,
	CERT_SERVER,
	CERT_CLIENT,
	CERT_NO_USE
};

/*
 * Writes DIR/NAME.pem and DIR/NAME-key.pem, signed by DIR/ISSUER.pem (NULL: by
 * itself), valid from so many seconds from now to so many. Ends the test when
 * that fails.
 */
void certs_make(const char *dir, const char *name, const char *issuer,
    enum cert_use use, long from, long to);

/* The text of DIR/NAME.pem; the caller frees it. */
char *certs_read(const char *dir, const char *name);

#endif
