/* SPDX-License-Identifier: Apache-2.0
 * AP devices in the guest. QEMU added the matrix before the kernel started, so
 * the AP bus, which is built in, finds the queues by itself; what is missing is
 * their driver. Of the real cards only CEX4 and newer can be passed through. */
#include "guest-agent/ap.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guest-agent/modprobe.h"
#include "guest-agent/root_path.h"
#include "guest-agent/spec.h"
#include "lib/cleanup.h"

#define DRIVER "zcrypt_cex4" /* and with it zcrypt, which makes the node */
#define NODE "z90crypt"

int
ap_misc_device(const char *sysfs, const char *name, unsigned *major,
    unsigned *minor, struct err *err)
{
	AUTO_FCLOSE FILE *f = NULL;
	char path[256];

	snprintf(path, sizeof(path), "%s/class/misc/%s/dev", sysfs, name);
	if ((f = fopen(path, "re")) == NULL)
		return err_sys(err, "%s", path);
	if (fscanf(f, "%u:%u", major, minor) != 2)
		return err_set(err, "%s: not MAJOR:MINOR", path);
	return 0;
}

static int
make_node(int root, struct err *err)
{
	AUTO_CLOSE int dev = -1;
	unsigned major, minor;

	if (ap_misc_device("/sys", NODE, &major, &minor, err) == -1)
		return -1;
	dev = root_path_open(root, "/dev", ROOT_PATH_DIRECTORY, err);
	if (dev == -1)
		return err_prefix(err, "/dev");
	if (mknodat(dev, NODE, S_IFCHR | 0666, makedev(major, minor)) == -1 &&
	    errno != EEXIST)
		return err_sys(err, "make /dev/" NODE);
	/* whatever the umask is; queues are for all, as on a host */
	if (fchmodat(dev, NODE, 0666, 0) == -1)
		return err_sys(err, "mode of /dev/" NODE);
	return 0;
}

int
ap_make(const struct container_spec *c, int root, struct err *err)
{
	if (!c->ap)
		return 0;
	if (modprobe_load(DRIVER, err) == -1 || make_node(root, err) == -1)
		return err_prefix(err, "RUNQ_APUUID");
	return 0;
}
