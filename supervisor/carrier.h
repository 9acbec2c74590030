/* SPDX-License-Identifier: Apache-2.0
 * The carrier of the channel: vsock where the host has a usable
 * /dev/vhost-vsock, else a virtio-serial port. Above this file nothing knows
 * which. It moves the channel's bytes; it never looks at them. */
#ifndef SUPERVISOR_CARRIER_H
#define SUPERVISOR_CARRIER_H

#include <stdint.h>

#include "lib/err.h"

struct carrier;
struct channel;
struct event_base;

enum carrier_kind {
	CARRIER_SERIAL,
	CARRIER_VSOCK
};

/*
 * Reserves a carrier: best, or CARRIER_SERIAL where that cannot be had, with a
 * warning if the host has a /dev/vhost-vsock all the same. vsock:
 * a CID that is free (found by taking it: vhost refuses one in use) and a
 * listener at the port of the same number.
 */
struct carrier *carrier_new(enum carrier_kind best, struct err *err);
void carrier_free(struct carrier *c);

/* For QEMU's command line. device_fd is closed by carrier_attach(). */
enum carrier_kind carrier_kind(const struct carrier *c);
uint32_t carrier_cid(const struct carrier *c);
int carrier_device_fd(const struct carrier *c);

/*
 * From now on what the agent sends goes into ch, and what ch has to send goes
 * out. lost is called at most once, when the carrier ended or the agent broke
 * the protocol (why says which); nothing is moved after that.
 */
int
carrier_attach(struct carrier *c, struct event_base *base, struct channel *ch,
    void (*lost)(void *arg, const char *why), void *arg, struct err *err);

/* ch has new output: sends what goes now, the rest when it can. */
void carrier_kick(struct carrier *c);

#endif
