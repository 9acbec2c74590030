/* SPDX-License-Identifier: Apache-2.0
 * Log lines on a file descriptor, with every unprintable byte escaped. */
#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINE_MAX 2048

static struct {
	const char *name;
	int fd;
	enum log_level level;
} log_state = {"runq", STDERR_FILENO, LOG_LEVEL_WARN};

void
log_init(const char *name, int fd, enum log_level level)
{
	log_state.name = name;
	log_state.fd = fd;
	log_state.level = level;
}

size_t
log_escape(char *dst, size_t size, const void *src, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = src;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if ((s[i] >= 0x20 && s[i] < 0x7f) || s[i] == '\t') {
			if (n + 1 >= size)
				break;
			dst[n++] = (char)s[i];
		} else {
			if (n + 4 >= size)
				break;
			dst[n++] = '\\';
			dst[n++] = 'x';
			dst[n++] = hex[s[i] >> 4];
			dst[n++] = hex[s[i] & 15];
		}
	}
	if (size > 0)
		dst[n] = '\0';
	return n;
}

__attribute__((format(printf, 3, 0))) static void
log_line(enum log_level level, const char *word, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX], line[LOG_LINE_MAX + 128];
	int saved = errno, head;
	size_t n;

	if (level > log_state.level)
		return;
	vsnprintf(text, sizeof text, fmt, ap);
	head = snprintf(line, 64, "%.40s: %s", log_state.name, word);
	n = (size_t)head;
	n += log_escape(line + n, sizeof line - n - 1, text, strlen(text));
	line[n++] = '\n';
	while (write(log_state.fd, line, n) == -1 && errno == EINTR)
		;
	errno = saved;
}

#define LOG_FUNCTION(name, level, word)                                        \
	void name(const char *fmt, ...)                                        \
	{                                                                      \
		va_list ap;                                                    \
		va_start(ap, fmt);                                             \
		log_line(level, word, fmt, ap);                                \
		va_end(ap);                                                    \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR, "")
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN, "warning: ")
LOG_FUNCTION(log_info, LOG_LEVEL_INFO, "")
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG, "debug: ")
