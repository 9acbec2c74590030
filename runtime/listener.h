/* SPDX-License-Identifier: Apache-2.0
 * The listener for runq-exec, made in the host's network namespace and
 * inherited by the supervisor, and the certificates that it goes with. */
#ifndef RUNTIME_LISTENER_H
#define RUNTIME_LISTENER_H

#include <stdbool.h>

#include "lib/err.h"

struct settings;
struct vm_spec;

/*
 * The folder of the supervisors' certificates, to be freed: "certs" in the
 * image folder, where a folder is there and not a link, else beside it. In the
 * image folder every container would see it: *inside tells (may be NULL).
 */
char *listener_certs(const char *image_dir, bool *inside);

/*
 * Unless runq-exec is switched off or no certificates are installed
 * (ca.pem, cert.pem, key.pem of listener_certs()), turns on spec->exec, fills
 * spec->tls and opens the listener in *fd, which is above VM_EXEC_FD. Else *fd
 * is -1; where something is wrong and not just not there, spec gets a warning:
 * the container does not need runq-exec to run.
 */
void listener_make(const struct settings *s, struct vm_spec *spec, int *fd);

/* Puts it in its place, inherited; takes it over. */
int listener_place(int fd, struct err *err);

#endif
