/* SPDX-License-Identifier: Apache-2.0
 * Log lines on a file descriptor, with every unprintable byte escaped. */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/*
 * name becomes the prefix of each line ("runq: "), fd the destination (not
 * owned), level the most talkative level written. Before this call: stderr,
 * "runq", LOG_LEVEL_WARN.
 */
void log_init(const char *name, int fd, enum log_level level);

/* One line each; the newline is added. Written in one write(2). */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Copies src (len bytes) to dst so that it is safe on a terminal: printable
 * ASCII and well-placed tabs stay, everything else becomes \xNN. Always
 * NUL-terminated; truncates. Returns the length written.
 */
size_t log_escape(char *dst, size_t size, const void *src, size_t len);

#endif
