/* SPDX-License-Identifier: Apache-2.0
 * ninepd: extended attributes. There are no system calls for a descriptor of
 * O_PATH: it is found by its name in the working directory, /proc/self/fd. */
#include "supervisor/ninepd_do.h"

#include <errno.h>
#include <sys/xattr.h>

#include "lib/cleanup.h"
#include "supervisor/ninepd_path.h"

/*
 * name NULL: the list of names. It is got in whole also when only its length
 * is asked for (size 0): overlayfs would count names that it does not show.
 */
static int
get_xattr(struct ninep *n, const char *path, const char *name, uint32_t size,
    struct ninep_reply *reply)
{
	static char value[NINEP_STRING_MAX];
	AUTO_CLOSE int fd = ninep_path_open(n->root, path);
	struct ninep_fd_name f;
	ssize_t len;

	if (fd == -1)
		return -errno;
	f = ninep_fd_name(fd);
	len = name != NULL ? getxattr(f.s, name, value, sizeof value)
			   : listxattr(f.s, value, sizeof value);
	if (len == -1)
		return -errno;
	if (size == 0)
		ninep_put_u32(reply, (uint32_t)len);
	else if ((size_t)len > size)
		return -ERANGE;
	else
		ninep_put_bytes(reply, value, (size_t)len);
	return 0;
}

int
ninep_do_getxattr(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	uint32_t size = ninep_get_u32(req);
	const char *path = ninep_get_str(req), *name = ninep_get_str(req);

	if (!ninep_get_end(req))
		return -EINVAL;
	return get_xattr(n, path, name, size, reply);
}

int
ninep_do_listxattr(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	uint32_t size = ninep_get_u32(req);
	const char *path = ninep_get_str(req);

	if (!ninep_get_end(req))
		return -EINVAL;
	return get_xattr(n, path, NULL, size, reply);
}

int
ninep_do_setxattr(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req), *name = ninep_get_str(req);
	size_t len;
	const void *value = ninep_get_bytes(req, &len);
	uint32_t size = ninep_get_u32(req), flags = ninep_get_u32(req);
	AUTO_CLOSE int fd = -1;

	(void)reply;
	if (!ninep_get_end(req) || size != len)
		return -EINVAL;
	if ((fd = ninep_path_open(n->root, path)) == -1)
		return -errno;
	return ninep_result(
	    setxattr(ninep_fd_name(fd).s, name, value, size, (int)flags));
}

int
ninep_do_removexattr(
    struct ninep *n, struct ninep_request *req, struct ninep_reply *reply)
{
	const char *path = ninep_get_str(req), *name = ninep_get_str(req);
	AUTO_CLOSE int fd = -1;

	(void)reply;
	if ((fd = ninep_end_at(n, req, path)) < 0)
		return fd;
	return ninep_result(removexattr(ninep_fd_name(fd).s, name));
}
