/* SPDX-License-Identifier: Apache-2.0
 * The share: the process that gives the image and the volumes to the guest. */
#include "supervisor/share.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/paths.h"
#include "lib/vm_spec.h"
#include "supervisor/ninep.h"
#include "supervisor/virtiofsd.h"

int
share_start(const struct vm_spec *spec, struct share *out, struct err *err)
{
	AUTO_CLOSE int log = -1;
	int p[2];

	*out = (struct share){.socket_fd = -1, .stderr_fd = -1};
	if (mount(NULL, PATH_SHARE, NULL,
		MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV |
		    MS_NOEXEC,
		NULL) == -1)
		return err_sys(err, "remount " PATH_SHARE " read-only");
	if (pipe2(p, O_CLOEXEC) == -1)
		return err_sys(err, "pipe");
	out->stderr_fd = p[0];
	log = p[1];
	if (spec->rootfs == VM_ROOTFS_9P)
		return ninep_start(log, out, err);
	return virtiofsd_start(log, out, err);
}
