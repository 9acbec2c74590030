/* SPDX-License-Identifier: Apache-2.0
 * Files of an image, which is hostile: any component of a path may be a
 * symbolic link to anywhere, and the file may be anything. */
#ifndef RUNTIME_IN_ROOT_H
#define RUNTIME_IN_ROOT_H

/* open(2) with root as the root directory, held there by the kernel
 * (openat2(2), RESOLVE_IN_ROOT). Close-on-exec. -1 and errno. */
int in_root_open(int root, const char *path, int flags);

/* For reading, a regular file and nothing else: opening a device or a pipe
 * does something. -1 and errno. */
int in_root_open_file(int root, const char *path);

/* The same of the host's own files. */
int in_root_open_host_file(const char *path);

#endif
