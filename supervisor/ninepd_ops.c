/* SPDX-License-Identifier: Apache-2.0
 * What QEMU asks of the file systems. It is answered with an open file only
 * for regular files and directories; every path is resolved once, to an O_PATH
 * descriptor, and used through that. */
#include "supervisor/ninepd_ops.h"

#include <errno.h>

#include "supervisor/ninepd_do.h"

static const struct {
	ninep_operation *run;
	enum ninep_answer how;
} operations[] = {
    [NINEP_OPEN] = {ninep_do_open, NINEP_ANSWER_FD},
    [NINEP_CREATE] = {ninep_do_create, NINEP_ANSWER_FD},
    [NINEP_MKNOD] = {ninep_do_mknod, NINEP_ANSWER_STATUS},
    [NINEP_MKDIR] = {ninep_do_mkdir, NINEP_ANSWER_STATUS},
    [NINEP_SYMLINK] = {ninep_do_symlink, NINEP_ANSWER_STATUS},
    [NINEP_LINK] = {ninep_do_link, NINEP_ANSWER_STATUS},
    [NINEP_LSTAT] = {ninep_do_lstat, NINEP_ANSWER_DATA},
    [NINEP_READLINK] = {ninep_do_readlink, NINEP_ANSWER_DATA},
    [NINEP_STATFS] = {ninep_do_statfs, NINEP_ANSWER_DATA},
    [NINEP_CHMOD] = {ninep_do_chmod, NINEP_ANSWER_STATUS},
    [NINEP_CHOWN] = {ninep_do_chown, NINEP_ANSWER_STATUS},
    [NINEP_TRUNCATE] = {ninep_do_truncate, NINEP_ANSWER_STATUS},
    [NINEP_UTIME] = {ninep_do_utime, NINEP_ANSWER_STATUS},
    [NINEP_RENAME] = {ninep_do_rename, NINEP_ANSWER_STATUS},
    [NINEP_REMOVE] = {ninep_do_remove, NINEP_ANSWER_STATUS},
    [NINEP_LGETXATTR] = {ninep_do_getxattr, NINEP_ANSWER_DATA},
    [NINEP_LLISTXATTR] = {ninep_do_listxattr, NINEP_ANSWER_DATA},
    [NINEP_LSETXATTR] = {ninep_do_setxattr, NINEP_ANSWER_STATUS},
    [NINEP_LREMOVEXATTR] = {ninep_do_removexattr, NINEP_ANSWER_STATUS},
    [NINEP_GETVERSION] = {ninep_do_getversion, NINEP_ANSWER_DATA},
};

int
ninep_do(struct ninep *n, uint32_t type, struct ninep_request *req,
    struct ninep_reply *reply, enum ninep_answer *how)
{
	*how = NINEP_ANSWER_STATUS;
	if (type >= sizeof operations / sizeof operations[0] ||
	    operations[type].run == NULL)
		return -EOPNOTSUPP;
	*how = operations[type].how;
	return operations[type].run(n, req, reply);
}
