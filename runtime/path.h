/* SPDX-License-Identifier: Apache-2.0
 * Paths as text, without a look at any file system. */
#ifndef RUNTIME_PATH_H
#define RUNTIME_PATH_H

#include <stdbool.h>

#define PATH_LEN_MAX 4096

/* The absolute path p without ".", "..", "//" and a slash at the end. */
char *path_clean(const char *p);

/* p itself when it is absolute, else p below dir. */
char *path_join(const char *dir, const char *p);

/* p is dir or below it; both clean. */
bool path_is_below(const char *p, const char *dir);

#endif
