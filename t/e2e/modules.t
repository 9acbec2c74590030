#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Modules of the guest's kernel: the tree in each container, loading with the
# capability, refusal without, and what the kernel loads by itself.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

need_runq();

my $number = 0;

sub vm {
	my ($opts, @cmd) = @_;

	return docker('run', '--rm', run_args($RUNTIME, "$PREFIX-" . ++$number),
	    @$opts, TEST_IMAGE, @cmd);
}

{
	my $p = vm([], 'sh', '-c', 'ls -d /lib/modules/$(uname -r)/modules.dep;
	    touch /lib/modules/x 2>&1; ls /lib/modules | wc -l');
	like $p->out, qr{\A/lib/modules/\S+/modules.dep\n.*Read-only.*\n1\n\z},
	    '/lib/modules is the running kernel\'s, read-only'
	    or diag $p->err;
	$p = vm(['--cap-add', 'sys_module'], 'sh', '-c',
	    'grep -c ^brd /proc/modules; modprobe brd && lsmod | grep -c ^brd;
	    modprobe -r brd && grep -c ^brd /proc/modules');
	is $p->out, "0\n1\n0\n", '--cap-add sys_module: modprobe brd, and -r'
	    or diag $p->err;
	$p = vm([], 'sh', '-c', 'modprobe brd; echo $?;
	    grep -c ^brd /proc/modules');
	is $p->out, "1\n0\n", 'without the capability: refused';
	like $p->err, qr/not permitted/i, 'with words';
	$p = vm(['--cap-add', 'sys_admin', '--security-opt',
		'apparmor=unconfined'], 'sh', '-c', 'mkdir /m;
	    for t in xfs btrfs nosuch; do
		mount -t $t /dev/null /m 2>/dev/null
		grep -c "^$t " /proc/modules
	    done');
	is $p->out, "1\n1\n0\n",
	    'mounting a file system: the kernel loads what it needs'
	    or diag $p->err;
}

done_testing();
