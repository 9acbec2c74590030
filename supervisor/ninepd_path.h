/* SPDX-License-Identifier: Apache-2.0
 * Paths of the share, as QEMU sends them. */
#ifndef SUPERVISOR_NINEPD_PATH_H
#define SUPERVISOR_NINEPD_PATH_H

/*
 * An O_PATH descriptor of what path names below root, links not followed:
 * guests resolve them, and walk name by name. -1 with errno: ELOOP for a link
 * on the way.
 */
int ninep_path_open(int root, const char *path);

/* The same for the directory that path is in, for what makes or removes a
 * name: *name is the last component. EINVAL: "", "." or "..". */
int ninep_path_parent(int root, const char *path, const char **name);

#endif
