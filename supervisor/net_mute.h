/* SPDX-License-Identifier: Apache-2.0
 * Silences this namespace's own stack on the interfaces that the guest has
 * taken over. */
#ifndef SUPERVISOR_NET_MUTE_H
#define SUPERVISOR_NET_MUTE_H

#include <stddef.h>

#include "lib/err.h"
#include "supervisor/net_state.h"

struct rtnl;

/* Takes every address off these links and keeps new ones from appearing. Not
 * undone by anything. -1 names the interface. */
int net_mute(struct rtnl *r, const struct net_link *const *links, size_t n,
    struct err *err);

#endif
