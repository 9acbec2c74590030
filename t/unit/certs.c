/* SPDX-License-Identifier: Apache-2.0
 * Certificates for tests, good ones and bad ones, as PEM files. */
#include "t/unit/certs.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

static void
need(int good, const char *what)
{
	if (good)
		return;
	printf("Bail out! certificates: %s\n", what);
	ERR_print_errors_fp(stdout);
	exit(1);
}

static FILE *
open_pem(
    const char *dir, const char *name, const char *suffix, const char *mode)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s%s.pem", dir, name, suffix);
	f = fopen(path, mode);
	need(f != NULL, path);
	return f;
}

static void
extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	need(e != NULL && X509_add_ext(x, e, -1), value);
	X509_EXTENSION_free(e);
}

static void
sign(X509 *x, EVP_PKEY *own, const char *dir, const char *issuer)
{
	EVP_PKEY *key = own;
	X509 *ca = x;
	FILE *f;

	if (issuer != NULL) {
		f = open_pem(dir, issuer, "", "r");
		ca = PEM_read_X509(f, NULL, NULL, NULL);
		fclose(f);
		f = open_pem(dir, issuer, "-key", "r");
		key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
		fclose(f);
	}
	need(ca != NULL && key != NULL, "issuer");
	need(X509_set_issuer_name(x, X509_get_subject_name(ca)) &&
		X509_sign(x, key, EVP_sha256()) > 0,
	    "sign");
	if (issuer != NULL) {
		X509_free(ca);
		EVP_PKEY_free(key);
	}
}

void
certs_make(const char *dir, const char *name, const char *issuer,
    enum cert_use use, long from, long to)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	static long serial = 1;
	X509 *x = X509_new();
	FILE *f;

	need(key != NULL && x != NULL, "key");
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
	X509_gmtime_adj(X509_getm_notBefore(x), from);
	X509_gmtime_adj(X509_getm_notAfter(x), to);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	extend(x, NID_basic_constraints,
	    use == CERT_CA ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (use == CERT_SERVER)
		extend(x, NID_ext_key_usage, "serverAuth");
	if (use == CERT_CLIENT)
		extend(x, NID_ext_key_usage, "clientAuth");
	sign(x, key, dir, issuer);
	f = open_pem(dir, name, "", "w");
	need(PEM_write_X509(f, x), "write");
	fclose(f);
	f = open_pem(dir, name, "-key", "w");
	need(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), "write");
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

char *
certs_read(const char *dir, const char *name)
{
	FILE *f = open_pem(dir, name, "", "r");
	char *text = calloc(1, 16384);

	need(text != NULL && fread(text, 1, 16383, f) > 0, name);
	fclose(f);
	return text;
}
