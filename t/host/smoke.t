#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The way most users run runq, in short: KVM, the vsock carrier, vhost-net.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use E2E;
use Host::Look;

# ---- what the host says ----
my $check = run([$RUNQ, 'check']);
is $check->code, 0, 'runq check: all is there' or diag $check->out;
like $check->out, qr/^$_ +yes/m, "runq check: $_"
    for qw(kvm vsock macvtap vhost-net image delegate);

# ---- a container from start to exit code ----
my $p = runq([], [], 'sh', '-c', 'echo out; echo err >&2; exit 7');
is $p->code, 7, 'the exit status';
is $p->out, "out\n", 'stdout';
is $p->err, "err\n", 'stderr, and no warning of ours in it';

# ---- what it is made of ----
my $name = up('look');
like qemu_args($name), qr/accel=kvm/, 'KVM is chosen by itself';
like qemu_args($name), qr/vhost-vsock-pci/, 'the carrier is vsock';
ok qemu_has_open($name, qr{^/dev/kvm}), 'QEMU has /dev/kvm';
ok qemu_has_open($name, qr{^/dev/vhost-net}), 'QEMU has /dev/vhost-net';
ok -e '/sys/fs/cgroup/cgroup.controllers', 'the host has cgroup v2';
$p = docker(['exec', '-i', $name, 'sh', '-c', 'cat; echo err >&2; exit 9'],
    stdin => "to exec\n");
is join('|', $p->code, $p->out, $p->err), "9|to exec\n|err\n",
    'docker exec: streams and exit status';
$p = docker('exec', $name, 'ping', '-c', 1, '-W', 10, '172.17.0.1');
is $p->code, 0, 'the network: the gateway answers' or diag $p->out;

# ---- bytes ----
my $data = join '', map { pack 'N', $_ * 2654435761 % 2**32 } 1 .. 2**18;
$p = docker(['run', '--rm', '-i', run_args($RUNTIME, "$PREFIX-cat"),
	TEST_IMAGE, 'cat'], stdin => $data);
ok $p->out eq $data, '1 MiB in and out, unharmed';

# ---- CIDs that are taken ----
tap_of('CIDs', '/usr/local/bin/cid');

# ---- the end ----
my $id = inspect($name)->{Id};
docker('rm', '-f', $name);
my @left;
eventually(10, sub { !(@left = leftovers($id)) });
is "@left", '', 'nothing is left';

done_testing();
