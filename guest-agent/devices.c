/* SPDX-License-Identifier: Apache-2.0
 * /dev of the container. */
#include "guest-agent/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guest-agent/root_path.h"
#include "lib/cleanup.h"

/* Numbers: the kernel's admin-guide/devices.txt. */
static const struct {
	const char *name;
	unsigned major, minor;
} nodes[] = {
    {"null", 1, 3},
    {"zero", 1, 5},
    {"full", 1, 7},
    {"random", 1, 8},
    {"urandom", 1, 9},
    {"tty", 5, 0},
};

static const struct {
	const char *name, *target;
} links[] = {
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
};

static int
make_nodes(int dev, struct err *err)
{
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		if (mknodat(dev, nodes[i].name, S_IFCHR | 0666,
			makedev(nodes[i].major, nodes[i].minor)) == -1) {
			if (errno == EEXIST)
				continue;
			return err_sys(err, "make /dev/%s", nodes[i].name);
		}
		/* whatever the umask is */
		if (fchmodat(dev, nodes[i].name, 0666, 0) == -1)
			return err_sys(err, "mode of /dev/%s", nodes[i].name);
	}
	return 0;
}

static int
make_link(int dev, const char *name, const char *target, struct err *err)
{
	if (symlinkat(target, dev, name) == -1 && errno != EEXIST)
		return err_sys(err, "make /dev/%s", name);
	return 0;
}

int
devices_make(int root, struct err *err)
{
	AUTO_CLOSE int dev =
	    root_path_open(root, "/dev", ROOT_PATH_DIRECTORY, err);
	AUTO_CLOSE int kcore = -1;

	if (dev == -1)
		return err_prefix(err, "/dev");
	if (make_nodes(dev, err) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (make_link(dev, links[i].name, links[i].target, err) == -1)
			return -1;
	kcore = root_path_open(root, "/proc/kcore", ROOT_PATH_MUST_EXIST, NULL);
	if (kcore != -1 && make_link(dev, "core", "/proc/kcore", err) == -1)
		return -1;
	/* the instance of this container, whatever the image has there */
	if (unlinkat(dev, "ptmx", 0) == -1 && errno != ENOENT)
		return err_sys(err, "remove /dev/ptmx");
	return make_link(dev, "ptmx", "pts/ptmx", err);
}
