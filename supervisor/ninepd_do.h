/* SPDX-License-Identifier: Apache-2.0
 * The operations behind ninep_do(), one for each type of request. All read
 * their arguments from req to its end, write a payload to reply where they
 * have one, and return 0, a descriptor, or an error as a negative number. */
#ifndef SUPERVISOR_NINEPD_DO_H
#define SUPERVISOR_NINEPD_DO_H

#include <errno.h>

#include "supervisor/ninepd_ops.h"

typedef int ninep_operation(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply);

/* ninepd_names.c: opening, making, removing */
ninep_operation ninep_do_open, ninep_do_create, ninep_do_mknod, ninep_do_mkdir,
    ninep_do_symlink, ninep_do_link, ninep_do_rename, ninep_do_remove;

/* ninepd_attrs.c: looking, changing */
ninep_operation ninep_do_lstat, ninep_do_readlink, ninep_do_statfs,
    ninep_do_getversion, ninep_do_chmod, ninep_do_chown, ninep_do_truncate,
    ninep_do_utime;

/* ninepd_xattrs.c */
ninep_operation ninep_do_getxattr, ninep_do_listxattr, ninep_do_setxattr,
    ninep_do_removexattr;

/* What path names, at the end of the arguments: an O_PATH descriptor, or an
 * error as a negative number. */
int ninep_end_at(
    const struct ninep *n, const struct ninep_request *req, const char *path);

/* Regular files and folders alone, opened: -ENXIO for others. flags: of
 * open(2), without those that a guest must not have. */
int ninep_open_path(const struct ninep *n, const char *path, int flags);

/* The name of a descriptor in /proc/self/fd. */
struct ninep_fd_name {
	char s[16];
};

struct ninep_fd_name ninep_fd_name(int fd);

static inline int
ninep_result(int r)
{
	return r == -1 ? -errno : 0;
}

#endif
