/* SPDX-License-Identifier: Apache-2.0
 * Reads the VM spec that runq left on fd VM_SPEC_FD. */
#include "supervisor/spec.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/wire.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int
spec_read(int fd, struct vm_spec *spec, struct err *err)
{
	AUTO_CLOSE int own = fd;
	struct stat st;
	void *text;
	int r;

	vm_spec_init(spec);
	r = fcntl(own, F_GET_SEALS);
	if (r == -1)
		return err_sys(err, "fd %d: not started by runq", fd);
	if ((r & SEALS) != SEALS || fstat(own, &st) == -1)
		return err_set(err, "fd %d: the VM spec is not sealed", fd);
	if (st.st_size <= 0 || st.st_size > (off_t)WIRE_SPEC_MAX)
		return err_set(err, "VM spec: %lld bytes (allowed: 1 to %u)",
		    (long long)st.st_size, WIRE_SPEC_MAX);
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, own, 0);
	if (text == MAP_FAILED)
		return err_sys(err, "VM spec: mmap");
	r = vm_spec_parse(text, (size_t)st.st_size, spec, err);
	munmap(text, (size_t)st.st_size);
	return r;
}
