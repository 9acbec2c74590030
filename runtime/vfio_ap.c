/* SPDX-License-Identifier: Apache-2.0
 * A mediated device of the host's vfio_ap driver. */
#include "runtime/vfio_ap.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/vm_spec.h"
#include "runtime/xalloc.h"

#define VARIABLE "RUNQ_APUUID="
#define TYPE "vfio_ap-passthrough"

/* The last component of what the link path/name points to; NULL with err. */
static char *
read_link(const char *path, const char *name, struct err *err)
{
	AUTO_FREE char *link = xasprintf("%s/%s", path, name);
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target) - 1);
	const char *base;

	if (n == -1) {
		err_sys(err, "%s", link);
		return NULL;
	}
	target[n] = '\0';
	base = strrchr(target, '/');
	return xstrdup(base != NULL ? base + 1 : target);
}

static int
look_at_node(const char *path, struct device_fact *d, struct err *err)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return err_sys(err, "%s", path);
	if (!S_ISCHR(st.st_mode))
		return err_set(err, "%s: not a character device", path);
	*d = (struct device_fact){true, major(st.st_rdev), minor(st.st_rdev)};
	return 0;
}

/* "7" of /sys/kernel/iommu_groups/7 */
static int
find_group(const char *device, unsigned *group, struct err *err)
{
	AUTO_FREE char *name = read_link(device, "iommu_group", err);
	unsigned long n;
	char *end;

	if (name == NULL)
		return -1;
	errno = 0;
	n = strtoul(name, &end, 10);
	if (!isdigit((unsigned char)name[0]) || *end != '\0' || n > INT_MAX)
		return err_set(err, "%s/iommu_group: not a group", device);
	*group = (unsigned)n;
	return 0;
}

int
vfio_ap_look(const char *sysfs, const char *dev, const char *uuid,
    struct vfio_ap *out, struct err *err)
{
	AUTO_FREE char *device =
	    xasprintf("%s/bus/mdev/devices/%s", sysfs, uuid);
	AUTO_FREE char *vfio = xasprintf("%s/vfio/vfio", dev), *node = NULL;
	AUTO_FREE char *type = NULL;

	if (access(device, F_OK) == -1)
		return err_sys(err, "no mediated device %s", device);
	if ((type = read_link(device, "mdev_type", err)) == NULL)
		return -1;
	if (strcmp(type, TYPE) != 0)
		return err_set(err, "%s: a device of type %.64s, must be %s",
		    device, type, TYPE);
	if (find_group(device, &out->group, err) == -1)
		return -1;
	node = xasprintf("%s/vfio/%u", dev, out->group);
	if (look_at_node(vfio, &out->vfio, err) == -1)
		return -1;
	return look_at_node(node, &out->group_dev, err);
}

/* The last one counts, as for all variables; in lower case, as sysfs has it. */
static char *
find_variable(struct json_object *config)
{
	struct json_object *process = NULL;
	AUTO_FREE const char **env = NULL;
	char *uuid = NULL;
	size_t n = 0;

	if (json_opt_obj(config, "", "process", &process, NULL) == -1 ||
	    process == NULL ||
	    json_opt_strv(process, "", "env", &env, &n, NULL) == -1)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (strncmp(env[i], VARIABLE, strlen(VARIABLE)) != 0)
			continue;
		free(uuid);
		uuid = xstrdup(env[i] + strlen(VARIABLE));
	}
	for (char *c = uuid; c != NULL && *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return uuid;
}

void
vfio_ap_collect(struct vfio_ap *ap, struct json_object *config)
{
	AUTO_FREE char *uuid = find_variable(config);
	struct err err;

	/* what is no UUID is never part of a path, and refused later */
	if (uuid != NULL && vm_apuuid_check(uuid, NULL) == 0 &&
	    vfio_ap_look("/sys", "/dev", uuid, ap, &err) == -1)
		ap->error = xstrdup(err.msg);
}
