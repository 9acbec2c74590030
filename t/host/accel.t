#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The accelerator: KVM by itself where it works; what is said where not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use E2E;
use Host::Look;

# What a guest's kernel thinks of its CPU, and what the user was told.
sub guest {
	my ($args) = @_;
	my $p = runq($args, [], 'sh', '-c',
	    'grep -m 1 "model name" /proc/cpuinfo; echo ran');

	return $p;
}

my $p = guest([]);
like $p->out, qr/^ran$/m, 'auto, with KVM: it runs';
is $p->err, '', 'auto, with KVM: without a word';
$p = guest(['--accel', 'kvm']);
like $p->out, qr/^ran$/m, '--accel kvm: it runs' or diag $p->err;

my $name = up('kvm');
like qemu_args($name), qr/accel=kvm/, 'auto, with KVM: QEMU uses it';
like qemu_args($name), qr/-cpu host/, 'auto, with KVM: the host\'s CPU';
docker('rm', '-f', $name);

{
	my $was = $RUNTIME;
	$RUNTIME = 'runq-tcg';
	$name = "$PREFIX-tcg";
	docker_ok('run', '-d', run_args($RUNTIME, $name), TEST_IMAGE, 'true');
	$RUNTIME = $was;
	ok eventually(60, sub { qemu_args($name) =~ /accel=tcg/ }),
	    '--accel tcg: QEMU emulates';
	ok !qemu_has_open($name, qr{^/dev/kvm}),
	    '--accel tcg: QEMU has no /dev/kvm';
	like qemu_args($name), qr/vhost-vsock-pci/,
	    '--accel tcg: the carrier is vsock all the same';
	docker('rm', '-f', $name);
}

# ---- without KVM: emulation in an emulated host takes minutes, so these are
# looked at while they boot ----
sub told {
	my ($what) = @_;
	my $vm = "$PREFIX-" . $what =~ s/\W+/-/gr;

	docker_ok('run', '-d', run_args($RUNTIME, $vm), TEST_IMAGE, 'true');
	ok eventually(60, sub { qemu_args($vm) =~ /accel=tcg/ }),
	    "$what: QEMU emulates" or diag docker('logs', $vm)->err;
	my $said = docker('logs', $vm)->err;
	like $said, qr/\A.*kvm.*without KVM, slowly\n\z/, "$what: one warning";
	docker('rm', '-f', $vm);
	my $p = runq(['--accel', 'kvm'], [], 'true');
	isnt $p->code, 0, "$what: --accel kvm is refused";
	return $p->err;
}

my ($major, $minor) = map { hex } split ' ', qx(stat -c '%t %T' /dev/kvm);
unlink '/dev/kvm';
system 'mknod', '/dev/kvm', 'c', 1, 3;
like told('a /dev/kvm that is none'), qr{accel=kvm.*/dev/kvm},
    'a /dev/kvm that is none: the sentence';

unlink '/dev/kvm';
like told('no /dev/kvm'), qr/no \/dev\/kvm.*auto or tcg/,
    'no /dev/kvm: the sentence says what is allowed';
is run([$RUNQ, 'check'])->code, 0, 'no /dev/kvm: runq check is content';
is run([$RUNQ, '--accel', 'kvm', 'check'])->code, 1,
    'no /dev/kvm: runq check is not, with --accel kvm';

system 'mknod', '/dev/kvm', 'c', $major, $minor;
ok without_module('kvm_amd', 'kvm'), 'the module kvm_amd can be removed';
like told('no module kvm_amd'), qr/kvm/, 'no module kvm_amd: the sentence';
$p = run([$RUNQ, 'check']);
like $p->out, qr/^kvm +no .*kvm.*\n +to get it: .*kvm_amd/m,
    'no module kvm_amd: runq check says what to do';

done_testing();
