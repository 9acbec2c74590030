# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # read by the scripts that source this
# Facts about one architecture of the guest, for the scripts of this folder.

# Packages whose libraries the supervisor and the agent may link.
program_packages='libevent-2.1-7 libevent-openssl-2.1-7 libjson-c5 libmnl0
	libseccomp2'

# Modules by group, as the agent loads them: base always, the others when the
# device is there. What base needs is the architecture's.
module_groups='base console vsock virtiofs net blk balloon'
modules_console='virtio_console'
modules_vsock='vmw_vsock_virtio_transport'
modules_virtiofs='virtiofs'
modules_net='virtio_net'
modules_blk='virtio_blk'
modules_balloon='virtio_balloon'

# arch_facts ARCH: sets the variables below, or fails.
#	deb_arch	Debian's name of the architecture
#	triplet		name of the folder of its libraries
#	interp		the dynamic loader that its programs ask for
#	kernel_package	the package that depends on the newest kernel
#	kernel_format	what boot/ of the kernel's package holds
#	qemu_packages	emulator, virtiofsd, firmware
#	qemu_modules	code that QEMU loads by itself when it runs without KVM
#	firmware	what QEMU reads to start the kernel on our machine type
#	modules_base	modules of the bus
arch_facts() {
	case $1 in
	x86_64)
		deb_arch=amd64
		triplet=x86_64-linux-gnu
		interp=/lib64/ld-linux-x86-64.so.2
		kernel_package=linux-image-cloud-amd64
		kernel_format=bzimage
		qemu_packages='qemu-system-x86 qemu-system-common
			qemu-system-data seabios'
		qemu_modules='accel-tcg-x86_64.so'
		firmware='usr/share/seabios/bios-256k.bin
			usr/share/qemu/kvmvapic.bin
			usr/share/qemu/linuxboot_dma.bin
			usr/share/qemu/pvh.bin'
		modules_base='virtio_pci virtio_rng'
		;;
	*)
		echo "architecture $1: not known, allowed: x86_64" >&2
		return 1
		;;
	esac
}
