#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# --cpuargs and RUNQ_CPUARGS: what QEMU knows reaches the guest, all else is a
# sentence before anything boots. --nestedvm: a VM in the VM can run.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

need_runq();
plan skip_all => 'the host is no x86_64, the features named here are its'
    if qx(uname -m) ne "x86_64\n";

my @tcg = ('--accel', 'tcg');
my $number = 0;

sub vm {
	my ($runtime, $opts, @cmd) = @_;

	return docker('run', '--rm', run_args($runtime, "$PREFIX-" . ++$number),
	    @$opts, TEST_IMAGE, @cmd);
}

my $tcg = "$PREFIX-tcg";
register_runtime($tcg, $RUNQ, @tcg);
my $p = vm($tcg, ['-e', 'RUNQ_CPUARGS=max,-aes,+avx2,model-id=runq-test'],
    'grep', '-E', '-m2', '^(model name|flags)', '/proc/cpuinfo');
is $p->code, 0, 'RUNQ_CPUARGS' or diag $p->err;
like $p->out, qr/model name\s*: runq-test$/m, 'a value reaches the guest';
like $p->out, qr/ avx2 /, 'a feature that is on';
unlike $p->out, qr/ aes /, 'a feature that is off';

# A sentence, no boot: what QEMU does not know, and what no CPU is called.
sub refused {
	my ($value, $words) = @_;
	my $p = vm($tcg, ['-e', "RUNQ_CPUARGS=$value"], 'echo', 'booted');

	is $p->code, 125, "refused: $value";
	like $p->err, $words, 'with words';
	is $p->out, '', 'before anything runs';
}

refused('max,+nosuch', qr/RUNQ_CPUARGS.*max,\+nosuch.*not found/s);
refused('nosuch', qr/RUNQ_CPUARGS.*unable to find CPU model 'nosuch'/s);
refused('max,level=x', qr/RUNQ_CPUARGS.*level/s);
refused($_, qr/RUNQ_CPUARGS: "?.*must be a CPU model and its features/s)
    for 'max -S', 'max,x', 'max,,help', '-S', 'max,a=b c', "max\n-S",
    'max,file=/etc/passwd', 'help', '?', '';

# ---- a VM in the VM ----
my $nested = "$PREFIX-nested";
register_runtime($nested, $RUNQ, @tcg, '--nestedvm');
$p = vm($nested, ['--cap-add', 'sys_module', '-e',
	'RUNQ_CPUARGS=max,svm=off'], 'sh', '-c',
    'grep -ow -m1 svm /proc/cpuinfo; modprobe kvm_amd; ' .
    'grep kvm /proc/misc; mknod /dev/kvm c 10 232; : <>/dev/kvm && echo open');
is $p->out, "svm\n232 kvm\nopen\n", '--nestedvm: KVM works in the guest'
    or diag $p->err;
$p = vm($tcg, ['--cap-add', 'sys_module', '-e', 'RUNQ_CPUARGS=max,svm=off'],
    'sh', '-c', 'grep -ow -m1 svm /proc/cpuinfo; modprobe kvm_amd || echo no');
is $p->out, "no\n", 'without it RUNQ_CPUARGS has the last word'
    or diag $p->err;

done_testing();
