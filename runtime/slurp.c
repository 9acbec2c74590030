/* SPDX-License-Identifier: Apache-2.0
 * Reading a file or pipe to its end. */
#include "runtime/slurp.h"

#include <errno.h>
#include <unistd.h>

#include "lib/buf.h"

#define STEP 16384

int
slurp(int fd, const char *what, struct buf *b, struct err *err)
{
	for (;;) {
		uint8_t *p = buf_reserve(b, STEP);
		ssize_t n;

		if (p == NULL)
			return err_set(
			    err, "%s: larger than %zu bytes", what, b->max);
		n = read(fd, p, STEP);
		if (n == 0)
			return 0;
		if (n == -1 && errno != EINTR)
			return err_sys(err, "%s", what);
		if (n > 0)
			buf_commit(b, (size_t)n);
	}
}
