/* SPDX-License-Identifier: Apache-2.0
 * One file's data and attributes, for copytree.c. All return -1 with errno. */
#ifndef GUEST_AGENT_COPYFILE_H
#define GUEST_AGENT_COPYFILE_H

#include <sys/stat.h>

/* The data of a regular file; where from has a hole, to has one. */
int copy_data(int from, int to, const struct stat *st);

/* Owner, extended attributes, mode and times of a file or directory. */
int copy_attributes(int from, int to, const struct stat *st);

/* A symbolic link, device node, FIFO or socket with its attributes. */
int copy_special(int src, int dst, const char *name, const struct stat *st);

#endif
