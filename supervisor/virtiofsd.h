/* SPDX-License-Identifier: Apache-2.0
 * virtiofsd: exports PATH_SHARE to the guest, from its own sandbox. */
#ifndef SUPERVISOR_VIRTIOFSD_H
#define SUPERVISOR_VIRTIOFSD_H

#include "lib/err.h"

struct share;

/* For share_start(): log becomes its standard error; not owned. */
int virtiofsd_start(int log, struct share *out, struct err *err);

#endif
