/* SPDX-License-Identifier: Apache-2.0
 * Cleanup attributes for locals that own something. */
#ifndef LIB_CLEANUP_H
#define LIB_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void
cleanup_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void
cleanup_freep(void *p)
{
	free(*(void **)p);
}

static inline void
cleanup_fclosep(FILE **f)
{
	if (*f != NULL)
		fclose(*f);
}

static inline void
cleanup_closedirp(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

#define AUTO_CLOSE __attribute__((cleanup(cleanup_closep)))
#define AUTO_FREE __attribute__((cleanup(cleanup_freep)))
#define AUTO_FCLOSE __attribute__((cleanup(cleanup_fclosep)))
#define AUTO_CLOSEDIR __attribute__((cleanup(cleanup_closedirp)))

/* Hands the ownership of an fd over: the variable forgets it. */
static inline int
take_fd(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

#endif
