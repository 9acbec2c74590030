/* SPDX-License-Identifier: Apache-2.0
 * ninepd: exports PATH_SHARE through QEMU's 9p, from its own sandbox. */
#ifndef SUPERVISOR_NINEP_H
#define SUPERVISOR_NINEP_H

#include "lib/err.h"

struct share;

/* For share_start(): log becomes its standard error; not owned. Returns when
 * it is confined and answers. */
int ninep_start(int log, struct share *out, struct err *err);

#endif
