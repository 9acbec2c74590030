/* SPDX-License-Identifier: Apache-2.0
 * The agent's end of the carrier: a vsock connection or a virtio-serial port,
 * whichever device the VM has. */
#ifndef GUEST_AGENT_CARRIER_H
#define GUEST_AGENT_CARRIER_H

#include <stddef.h>

#include "lib/err.h"

/*
 * Finds the device, loads its modules, connects, and sends the first frame
 * (blocking: a serial port that the host has not opened yet waits here).
 * Returns a non-blocking fd.
 */
int carrier_open(const void *first, size_t len, struct err *err);

#endif
