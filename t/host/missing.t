#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Hosts that lack something: a fallback, or a sentence that says what to do.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use E2E;
use Host::Look;

sub works {
	my ($what) = @_;
	my $name = up($what =~ s/\W+/-/gr);
	my $p = docker(['exec', '-i', $name, 'sh', '-c', 'cat; exit 4'],
	    stdin => "in\n");

	is join('|', $p->code, $p->out), "4|in\n", "$what: exec works";
	return $name;
}

sub check_says {
	my ($what, $code, $re) = @_;
	my $p = run([$RUNQ, 'check']);

	is $p->code, $code, "$what: exit code of runq check";
	like $p->out, $re, "$what: runq check says so";
}

# ---- vhost_net ----
ok without_module('vhost_net'), 'no vhost_net';
my $name = works('no vhost_net');
ok !qemu_has_open($name, qr{vhost-net}), 'no vhost_net: QEMU has none';
is docker('exec', $name, 'ping', '-c', 1, '-W', 10, '172.17.0.1')->code, 0,
    'no vhost_net: the network works';
check_says('no vhost_net', 0,
    qr/^vhost-net +no .*\n +to get it: modprobe vhost_net/m);
docker('rm', '-f', $name);

# ---- vhost_vsock ----
ok without_module('vhost_vsock'), 'no vhost_vsock';
$name = works('no vhost_vsock');
like qemu_args($name), qr/name=runq\.channel/,
    'no vhost_vsock: the carrier is a serial port';
check_says('no vhost_vsock', 0,
    qr/^vsock +no .*\n +to get it: modprobe vhost_vsock/m);
docker('rm', '-f', $name);

# ---- its device is there, the module is not: what systemd's static device
# nodes look like ----
system 'mknod', '/dev/vhost-vsock', 'c', 10, 241 if !-e '/dev/vhost-vsock';
$name = works('a device without vhost_vsock');
docker('rm', '-f', $name);
unlink '/dev/vhost-vsock';

# ---- another transport has the place: VMware's, once its hypervisor runs ----
unlink '/etc/modprobe.d/vhost_vsock.conf';
is run(['modprobe', 'vmw_vsock_vmci_transport'])->code, 0,
    'VMware\'s transport: the module';
is run(['/usr/local/bin/vsock', 'vmci'])->out, "taken\n",
    'VMware\'s transport: it has the host\'s side';
like run(['modprobe', 'vhost_vsock'])->err, qr/busy/i,
    'VMware\'s transport: vhost_vsock finds its place taken';
$name = works('VMware\'s transport');
like qemu_args($name), qr/name=runq\.channel/,
    'VMware\'s transport: the carrier is a serial port';
check_says('VMware\'s transport', 0,
    qr/^vsock +no .*\n +to get it: rmmod (vmw_vsock_vmci_transport).*modprobe/m);
docker('rm', '-f', $name);
is run(['sh', '-c', 'rmmod vmw_vsock_vmci_transport; modprobe vhost_vsock'])
    ->code, 0, 'VMware\'s transport: what runq check says helps';
check_says('vsock again', 0, qr/^vsock +yes/m);

# ---- macvtap ----
ok without_module('macvtap'), 'no macvtap';
my $p = runq([], [], 'true');
isnt $p->code, 0, 'no macvtap: a container with a network ends';
like $p->err, qr/macvtap/, 'no macvtap: the sentence names it';
$p = runq([], ['--network', 'none'], 'echo', 'alone');
is $p->out, "alone\n", 'no macvtap: --network none works' or diag $p->err;
check_says('no macvtap', 0, qr/^macvtap +yes/m);
rename $_, "$_.gone" for glob '/lib/modules/*/modules.dep*';
check_says('a kernel without macvtap', 1, qr/^macvtap +MISSING .*none works/m);
rename "$_.gone", $_ for map { s/\.gone$//r } glob '/lib/modules/*/*.gone';

# ---- what is installed ----
rename '/var/lib/runq/qemu/boot/vmlinux-x86_64', '/var/lib/runq/vmlinux';
$p = runq([], [], 'true');
like $p->err, qr/vmlinux.*not assembled/, 'no kernel: the sentence';
check_says('no kernel', 1, qr/^image +MISSING .*vmlinux/m);
rename '/var/lib/runq/vmlinux', '/var/lib/runq/qemu/boot/vmlinux-x86_64';
rename '/var/lib/runq/certs', '/var/lib/runq/certs.gone';
check_says('no certificates', 0, qr/^runq-exec +no .*\n +to get it: .*mkcerts/m);
$p = runq([], ['--network', 'none'], 'echo', 'ran');
is $p->out, "ran\n", 'no certificates: containers run' or diag $p->err;

done_testing();
