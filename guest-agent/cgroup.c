/* SPDX-License-Identifier: Apache-2.0
 * The container's control group. */
#include "guest-agent/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-agent/mnt.h"
#include "lib/cleanup.h"

#define GROUP "container"
#define LEAF "exec"

static int
write_file(int dir, const char *name, const char *value)
{
	AUTO_CLOSE int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	if (fd == -1 || write(fd, value, strlen(value)) == -1)
		return -1;
	return 0;
}

/* "cpu memory pids": each of them for the groups below, where it can be. */
static int
enable_controllers(int root, struct err *err)
{
	AUTO_CLOSE int fd =
	    openat(root, "cgroup.controllers", O_RDONLY | O_CLOEXEC);
	char list[512], word[64], *save = NULL;
	ssize_t n = fd == -1 ? -1 : read(fd, list, sizeof(list) - 1);

	if (n == -1)
		return err_sys(err, "read cgroup.controllers");
	list[n] = '\0';
	for (char *p = strtok_r(list, " \n", &save); p != NULL;
	     p = strtok_r(NULL, " \n", &save)) {
		snprintf(word, sizeof(word), "+%s", p);
		/* cpu refuses while there are realtime processes; only what a
		 * limit needs must be there, and that write tells */
		(void)write_file(root, "cgroup.subtree_control", word);
	}
	return 0;
}

static int
set_limit(int group, const char *name, int64_t limit, struct err *err)
{
	char value[32];

	snprintf(value, sizeof(value), "%" PRId64, limit);
	if (limit > 0 && write_file(group, name, value) == -1)
		return err_sys(err, "%s: limit %s", name, value);
	return 0;
}

int
cgroup_create(int64_t pids, int64_t memory, struct err *err)
{
	AUTO_CLOSE int root = mnt_create("cgroup2", "cgroup2", NULL, 0, 0, err);
	AUTO_CLOSE int group = -1;

	if (root == -1 || enable_controllers(root, err) == -1)
		return -1;
	if (mkdirat(root, GROUP, 0755) == -1 && errno != EEXIST)
		return err_sys(err, "make cgroup");
	group = openat(root, GROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group == -1)
		return err_sys(err, "open cgroup");
	if (set_limit(group, "pids.max", pids, err) == -1 ||
	    set_limit(group, "memory.max", memory, err) == -1)
		return -1;
	return take_fd(&group);
}

int
cgroup_leaf(int group, struct err *err)
{
	int fd;

	if (mkdirat(group, LEAF, 0755) == -1 && errno != EEXIST)
		return err_sys(err, "make cgroup " LEAF);
	fd = openat(group, LEAF, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd == -1 ? err_sys(err, "open cgroup " LEAF) : fd;
}
