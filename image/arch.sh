# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # read by the scripts that source this
# Facts about architectures and guest kernels, for the scripts of this folder.
#
# The programs (QEMU, virtiofsd, supervisor) are of the host's architecture.
# Guests may be of others, and a guest architecture has one kernel or more:
#	x86_64		small, all that a VM has built in, but no 9p
#	x86_64-9p	Debian's usual one, for --rootfs 9p
#	s390x		the only one, for both

# Packages whose libraries the supervisor and the agent may link.
program_packages='libevent-2.1-7 libevent-openssl-2.1-7 libjson-c5 libmnl0
	libseccomp2'
# ... and the agent alone.
agent_packages='libjson-c5 libmnl0 libseccomp2'

# Emulator's files that are for all guests, virtiofsd, firmware.
qemu_packages='qemu-system-common qemu-system-data'

# arch_facts ARCH: sets the variables below, or fails.
#	deb_arch	Debian's name of the architecture
#	triplet		name of the folder of its libraries
#	interp		the dynamic loader that its programs ask for
#	kernels		what its guests boot, by name
#	qemu_package	has qemu-system-ARCH
#	qemu_firmware	package of more firmware
#	qemu_modules	code that QEMU loads by itself when it runs without KVM
#	firmware	what QEMU reads to start the kernel on our machine type
arch_facts() {
	qemu_firmware='' qemu_modules='' firmware=''
	case $1 in
	x86_64)
		deb_arch=amd64
		triplet=x86_64-linux-gnu
		interp=/lib64/ld-linux-x86-64.so.2
		kernels='x86_64 x86_64-9p'
		qemu_package=qemu-system-x86
		qemu_firmware=seabios
		qemu_modules='accel-tcg-x86_64.so'
		firmware='usr/share/seabios/bios-256k.bin
			usr/share/qemu/kvmvapic.bin
			usr/share/qemu/linuxboot_dma.bin
			usr/share/qemu/pvh.bin'
		;;
	s390x)
		deb_arch=s390x
		triplet=s390x-linux-gnu
		interp=/lib/ld64.so.1
		kernels=s390x
		qemu_package=qemu-system-misc
		firmware=usr/share/qemu/s390-ccw.img
		;;
	*)
		echo "architecture $1: not known, allowed: x86_64, s390x" >&2
		return 1
		;;
	esac
}

# Modules by group, as the agent loads them: base always, the others when the
# device is there. What is built in is found out.
module_groups='base console vsock virtiofs net blk balloon'
modules_console='virtio_console'
modules_vsock='vmw_vsock_virtio_transport'
modules_virtiofs='virtiofs'
modules_9p='9p 9pnet_virtio'
modules_net='virtio_net'
modules_blk='virtio_blk'
modules_balloon='virtio_balloon'

# Drivers that a VM can use, as an extended regular expression of their paths
# below kernel/drivers; the others are for hardware that it cannot have.
modules_kept='(block|char/hw_random|crypto/virtio|dax|md|nvdimm|target|vhost)/
	|virtio/|char/virtio_console|net/[^/]*$|net/(bonding|ipvlan|ppp|team|vxlan|wireguard)/
	|scsi/(iscsi_tcp|sd_mod|sg|virtio_scsi)[.]ko'

# kernel_facts KERNEL: sets the variables below.
#	kernel_arch	architecture
#	kernel_package	the package that depends on the newest one
#	kernel_format	what boot/ of the kernel's package holds
#	kernel_file	its name in boot/ of the image
#	kernel_modules	all, or kept: those that a VM can use
#	kernel_groups	groups of modules in its initrd
#	modules_base	modules of the bus
kernel_facts() {
	kernel_arch=${1%-*} kernel_file=vmlinux-$1 kernel_modules=all
	kernel_groups=$module_groups
	case $1 in
	x86_64)
		kernel_package=linux-image-cloud-amd64
		kernel_format=bzimage
		modules_base='virtio_pci virtio_rng'
		;;
	x86_64-9p)
		kernel_package=linux-image-amd64
		kernel_format=bzimage
		kernel_modules=kept
		kernel_groups="$module_groups 9p"
		modules_base='virtio_pci virtio_rng'
		;;
	s390x)
		kernel_package=linux-image-s390x
		kernel_format=asis
		kernel_file=kernel-s390x
		kernel_groups="$module_groups 9p"
		modules_base='virtio_rng'
		;;
	esac
}

# ---- options that assemble and initrd share ------------------------------------

# agents: architecture to the agent's file.
declare -A agents=()

# set_agent [ARCH=]FILE; without ARCH it is the host's, in $arch.
set_agent() {
	if [[ $1 == *=* && ${1%%=*} != */* ]]; then
		agents[${1%%=*}]=${1#*=}
	else
		agents[$arch]=$1
	fi
}

# agent_of ARCH: prints its file, which is there.
agent_of() {
	local file=$prefix/image/init-$1
	[[ $1 != "$arch" ]] || file=$prefix/image/init
	file=${agents[$1]:-$file}
	if [[ ! -f $file ]]; then
		echo "agent of $1: $file: no such file" >&2
		return 1
	fi
	echo "$file"
}
