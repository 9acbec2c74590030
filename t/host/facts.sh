# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # read by the scripts that source this
# What the test host is made from.

# Of the distribution, for the host itself and for the tests that run in it.
host_packages='apparmor btrfs-progs busybox-static ca-certificates containerd
	containernetworking-plugins crun curl dbus diffutils docker.io e2fsprogs
	iproute2 iptables iputils-ping jq kmod libcap2-bin libevent-2.1-7
	libevent-openssl-2.1-7 libjson-c5 libmnl0 libseccomp2 libssl3 make
	openssl perl podman procps psmisc runc socat systemd-sysv udev xfsprogs'
kernel_package=linux-image-amd64

# Modules of hardware that no VM has; the others are as Debian ships them.
useless_modules='sound drivers/gpu drivers/media drivers/infiniband
	drivers/net/ethernet drivers/net/wireless drivers/iio drivers/isdn
	drivers/staging drivers/usb drivers/hid drivers/input drivers/hwmon
	drivers/mfd drivers/thunderbolt drivers/scsi drivers/bluetooth
	net/bluetooth net/wireless net/mac80211 fs/ocfs2 fs/ceph fs/gfs2'

# What the saved state has loaded: loading costs time in every job.
loaded_modules='9p 9pnet_virtio br_netfilter bridge iptable_filter iptable_nat
	ip6table_filter ip6table_nat kvm-amd macvtap nf_nat nft_compat overlay
	tun veth vhost_net vhost_vsock virtio_console virtio_net
	xt_addrtype xt_conntrack xt_MASQUERADE ip_vs xt_ipvs vxlan'
