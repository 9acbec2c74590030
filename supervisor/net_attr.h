/* SPDX-License-Identifier: Apache-2.0
 * Values of rtnetlink(7) attributes, lengths checked. */
#ifndef SUPERVISOR_NET_ATTR_H
#define SUPERVISOR_NET_ATTR_H

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>

#include "supervisor/net_state.h"

static inline int
net_attr_malformed(void)
{
	errno = EBADMSG;
	return -1;
}

static inline size_t
net_ip_len(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

static inline int
net_attr_ip(const struct nlattr *attr, uint8_t family, struct net_ip *ip)
{
	if (mnl_attr_get_payload_len(attr) != net_ip_len(family))
		return net_attr_malformed();
	memcpy(ip->bytes, mnl_attr_get_payload(attr), net_ip_len(family));
	return 0;
}

static inline int
net_attr_u32(const struct nlattr *attr, uint32_t *v)
{
	if (mnl_attr_validate(attr, MNL_TYPE_U32) == -1)
		return net_attr_malformed();
	*v = mnl_attr_get_u32(attr);
	return 0;
}

#endif
