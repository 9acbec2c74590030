/* SPDX-License-Identifier: Apache-2.0
 * Kernel modules of the initrd. /modules/order has a line "GROUP FILE" for
 * each, dependencies first. */
#include "guest-agent/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define DIR_MODULES "/modules"

static int
load(const char *file, struct err *err)
{
	char path[160];
	AUTO_CLOSE int fd = -1;

	snprintf(path, sizeof path, DIR_MODULES "/%s", file);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return err_sys(err, "module %s", path);
	if (syscall(SYS_finit_module, fd, "", 0) == -1 && errno != EEXIST)
		return err_sys(err, "module %s", path);
	return 0;
}

int
modules_load(const char *group, struct err *err)
{
	AUTO_FCLOSE FILE *f = fopen(DIR_MODULES "/order", "re");
	char line[200], name[32], file[128];

	if (f == NULL)
		return err_sys(err, DIR_MODULES "/order");
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "%31s %127s", name, file) == 2 &&
		    strcmp(name, group) == 0 && load(file, err) == -1)
			return -1;
	return 0;
}
