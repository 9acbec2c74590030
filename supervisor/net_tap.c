/* SPDX-License-Identifier: Apache-2.0
 * The macvtap that takes over an interface of the container. */
#include "supervisor/net_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/rtnl.h"

#define NAMES_MAX 1000
#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

static int
send_create(struct rtnl *r, const struct net_link *lower, const char *name,
    struct err *err)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC};
	bool veth = lower->kind == NET_LINK_VETH;
	struct nlmsghdr *nlh = rtnl_begin(
	    r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof ifi);
	struct nlattr *info, *data;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_LINK, (uint32_t)lower->index);
	mnl_attr_put_u32(nlh, IFLA_MTU, lower->mtu);
	if (!veth)
		mnl_attr_put(nlh, IFLA_ADDRESS, sizeof lower->mac, lower->mac);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_str(nlh, IFLA_INFO_KIND, "macvtap");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u32(nlh, IFLA_MACVLAN_MODE,
	    veth ? MACVLAN_MODE_PASSTHRU : lower->macvlan_mode);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return rtnl_commit(r, nlh, err);
}

/* The first name of ours that no interface of this namespace has. */
static int
create(struct rtnl *r, const struct net_link *lower, struct net_tap *tap,
    struct err *err)
{
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		snprintf(tap->name, sizeof tap->name, "runqtap%u", i);
		if (if_nametoindex(tap->name) != 0)
			continue;
		if (send_create(r, lower, tap->name, err) == -1)
			return err_prefix(err, "macvtap");
		tap->index = (int)if_nametoindex(tap->name);
		return tap->index != 0 ? 0 : err_sys(err, "macvtap");
	}
	return err_set(err, "macvtap: no free name");
}

static int
set_mac(struct rtnl *r, int ifindex, const uint8_t mac[6], struct err *err)
{
	struct ifinfomsg ifi = {.ifi_index = ifindex};
	struct nlmsghdr *nlh = rtnl_begin(r, RTM_SETLINK, 0, &ifi, sizeof ifi);

	mnl_attr_put(nlh, IFLA_ADDRESS, 6, mac);
	return rtnl_commit(r, nlh, err);
}

/* Takes the macvlan off the wire. */
static int
retire_macvlan(struct rtnl *r, const struct net_link *lower, struct err *err)
{
	uint8_t mac[6];

	if (getrandom(mac, sizeof mac, 0) != sizeof mac)
		return err_sys(err, "getrandom");
	/* IEEE 802: locally administered, not a group */
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
	if (rtnl_set_flags(r, lower->index, 0, IFF_UP, err) == -1)
		return err_prefix(err, "down");
	if (set_mac(r, lower->index, mac, err) == -1)
		return err_prefix(err, "other MAC address");
	return 0;
}

int
net_tap_no_autoaddr(struct rtnl *r, int ifindex, struct err *err)
{
	struct ifinfomsg ifi = {.ifi_index = ifindex};
	struct nlmsghdr *nlh = rtnl_begin(r, RTM_SETLINK, 0, &ifi, sizeof ifi);
	struct nlattr *spec, *inet6;

	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
	if (rtnl_commit(r, nlh, err) == 0)
		return 0;
	/* a kernel without IPv6, or with it off on this link */
	if (errno == EAFNOSUPPORT || errno == EINVAL || errno == ENODEV)
		return 0;
	return err_prefix(err, "IPv6 address generation");
}

int
net_tap_create(struct rtnl *r, const struct net_link *lower,
    struct net_tap *tap, struct err *err)
{
	/*
	 * A veth must be up, or its macvtap has no carrier. IFF_ALLMULTI:
	 * without it only the multicast groups that this kernel joined pass,
	 * and the guest joins its own (neighbour discovery needs one for each
	 * address).
	 */
	const unsigned bits = IFF_UP | IFF_ALLMULTI;
	int ready;

	*tap = (struct net_tap){.index = 0};
	if (lower->kind == NET_LINK_MACVLAN)
		ready = retire_macvlan(r, lower, err);
	else if ((ready = net_tap_no_autoaddr(r, lower->index, err)) == 0 &&
	    !(lower->flags & IFF_UP))
		ready = rtnl_set_flags(r, lower->index, IFF_UP, IFF_UP, err);
	if (ready == -1 || create(r, lower, tap, err) == -1 ||
	    net_tap_no_autoaddr(r, tap->index, err) == -1)
		return err_prefix(err, "interface %s", lower->name);
	if (rtnl_set_flags(r, tap->index, bits, bits, err) == -1) {
		err_prefix(err, "macvtap up");
		return err_prefix(err, "interface %s", lower->name);
	}
	return 0;
}

void
net_tap_delete(
    struct rtnl *r, const struct net_link *lower, struct net_tap *tap)
{
	struct ifinfomsg ifi = {.ifi_index = tap->index};

	if (tap->index != 0)
		rtnl_commit(
		    r, rtnl_begin(r, RTM_DELLINK, 0, &ifi, sizeof ifi), NULL);
	tap->index = 0;
	if (lower->kind == NET_LINK_MACVLAN &&
	    set_mac(r, lower->index, lower->mac, NULL) == 0)
		rtnl_set_flags(r, lower->index, lower->flags, IFF_UP, NULL);
}

/* The number of the character device: the kernel names it after the ifindex
 * and puts it below its interface in sysfs. */
static int
device_number(const struct net_tap *tap, dev_t *dev, struct err *err)
{
	static const char *const places[] = {"", "macvtap/"};
	AUTO_FCLOSE FILE *f = NULL;
	char path[128];
	unsigned major, minor;

	for (size_t i = 0; f == NULL && i < 2; i++) {
		snprintf(path, sizeof path, "/sys/class/net/%s/%stap%d/dev",
		    tap->name, places[i], tap->index);
		f = fopen(path, "re");
	}
	if (f == NULL)
		return err_sys(err, "open %s", path);
	if (fscanf(f, "%u:%u", &major, &minor) != 2)
		return err_set(err, "%s: not a device number", path);
	*dev = makedev(major, minor);
	return 0;
}

/* Flags that QEMU expects on a descriptor that it is given (tun/tap,
 * Documentation/networking/tuntap.rst). */
static int
set_tap_flags(int fd, const struct net_tap *tap, struct err *err)
{
	struct ifreq ifr = {.ifr_flags = TAP_FLAGS};

	memcpy(ifr.ifr_name, tap->name, sizeof ifr.ifr_name);
	if (ioctl(fd, TUNSETIFF, &ifr) == -1)
		return err_sys(err, "%s: TUNSETIFF", tap->name);
	if (ioctl(fd, TUNGETIFF, &ifr) == -1)
		return err_sys(err, "%s: TUNGETIFF", tap->name);
	if ((ifr.ifr_flags & TAP_FLAGS) != TAP_FLAGS)
		return err_set(err, "%s: flags %#x (needed: %#x)", tap->name,
		    (unsigned)ifr.ifr_flags, TAP_FLAGS);
	return 0;
}

int
net_tap_open(const struct net_tap *tap, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	char node[64];
	dev_t dev = 0;
	int saved;

	if (device_number(tap, &dev, err) == -1)
		return -1;
	/* The node is there only for the open: its name is of no use later. */
	snprintf(node, sizeof node, "/dev/%s", tap->name);
	if (mknod(node, S_IFCHR | 0600, dev) == -1)
		return err_sys(err, "mknod %s", node);
	fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	saved = errno;
	if (unlink(node) == -1)
		return err_sys(err, "unlink %s", node);
	errno = saved;
	if (fd == -1)
		return err_sys(err, "open %s", node);
	if (set_tap_flags(fd, tap, err) == -1)
		return -1;
	return take_fd(&fd);
}
