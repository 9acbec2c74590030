/* SPDX-License-Identifier: Apache-2.0
 * The error value: one sentence, formed where the failure happens. */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#define ERR_MSG_MAX 1024

/* Owned by the caller, usually on the stack; valid only after a -1. */
struct err {
	char msg[ERR_MSG_MAX];
};

/* Formats the sentence; always returns -1. err may be NULL. */
int err_set(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with ": " and strerror(errno) appended; always returns -1. */
int err_sys(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the sentence that is there; always returns -1. */
int err_prefix(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
