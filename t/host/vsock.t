#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The vsock carrier: who may speak to it, CIDs, and what happens without it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use E2E;
use Host::Look;

my $vsock = '/usr/local/bin/vsock';

# ---- streams ----
my $name = up('a');
my $p = docker(['exec', '-i', $name, 'sh', '-c', 'cat; echo e >&2; exit 3'],
    stdin => 'x' x 300_000);
is join('|', $p->code, length $p->out, $p->err), "3|300000|e\n",
    'docker exec: streams and status';
$p = run(['sh', '-c', "docker run --rm --name $PREFIX-big --log-driver none " .
	"--runtime $RUNTIME " . TEST_IMAGE . ' probe write 1 20000000 | wc -c']);
is $p->out + 0, 20_000_000, '20 MB to stdout, all of it';
$p = start(['docker', 'run', '--rm', '-it', run_args($RUNTIME, "$PREFIX-tty"),
	TEST_IMAGE, 'sh', '-c', 'tty; stty size; read x; exit $x'],
    pty => [33, 99]);
ok defined $p->expect(qr{/dev/pts/0\r\n33 99}, 90), 'a terminal of its size';
$p->send("5\n");
is $p->finish(30), 5, 'a terminal: input';

# ---- two with ids that begin alike ----
# containerd lets one choose: dockerd does not.
my $rootfs = tempdir();
run(['sh', '-c', 'docker create --name "$0-fs" "$2" && ' .
	'docker export "$0-fs" | tar -x -C "$1"', $PREFIX, $rootfs,
	TEST_IMAGE])->code eq '0' or die 'no root file system';
docker('rm', "$PREFIX-fs");
my @id = map { "0a1b2c3d" . $_ x 56 } 4, 5;
my @two = map { start(['ctr', 'run', '--rm', '--rootfs', '--env',
	    'PATH=/bin', '--runc-binary', $RUNQ, $rootfs, $_, 'sh', '-c',
	    'echo up; exec sleep 1000']) } @id;
my @up = grep { defined $_->expect(qr/up/, 90) } @two;
is scalar @up, 2, 'two containers, ids alike in 8 digits: both run' or
    diag map { $_->out, $_->err } @two;
my @cids = map { /guest-cid=(\d+)/ ? $1 : () } split /\n/,
    run(['ps', 'axww', '-o', 'args'])->out;
my %different = map { $_ => 1 } @cids;
is scalar @cids, scalar keys %different, 'each VM has a CID of its own'
    or diag "@cids";
cmp_ok scalar @cids, '>=', 3, 'there are three of them';
run(['ctr', 'task', 'kill', '-s', 'KILL', $_]) for @id;
$_->finish(30) for @two;

# ---- strangers ----
# Of a container's creation, when the port is there and the agent has not
# dialled yet: QEMU is stopped, so that it cannot.
sub stopped_vm {
	my ($label) = @_;
	my $vm = "$PREFIX-$label";
	my $pid;

	docker_ok('run', '-d', run_args($RUNTIME, $vm), TEST_IMAGE, 'sh', '-c',
	    'echo alive; exec sleep 1000');
	eventually(60, sub {
		($pid) = grep { (slurp("/proc/$_/cmdline") // '') =~
			/guest-cid/ && $_ == (qemu_pid($vm) // 0) }
		    map { m{/proc/(\d+)} } glob '/proc/[0-9]*';
	}) or die "$vm has no QEMU";
	kill 'STOP', $pid;
	return ($vm, $pid, guest_cid($vm));
}

# What dial sees: no byte, and the end; perhaps before it could send.
my $shown_the_door = qr/\Aconnected\n(send: .*\n)?closed\n\z/;
my ($vm, $pid, $cid) = stopped_vm('process');
run(['modprobe', 'vsock_loopback']);
for my $address (1, 2) {
	$p = run([$vsock, 'dial', $address, $cid], timeout => 60);
	SKIP: {
		skip "CID $address: " . $p->out, 1
		    if $p->out =~ /No such device|Network is unreachable/;
		like $p->out, $shown_the_door,
		    "a process of the host by CID $address: shown the door";
	}
}
kill 'CONT', $pid;
ok eventually(60, sub { docker('logs', $vm)->out =~ /alive/ }),
    'and the VM that was meant starts all the same'
    or diag docker('logs', $vm)->err;
docker('rm', '-f', $vm);

($vm, $pid, $cid) = stopped_vm('victim');
$p = docker('run', '--rm', run_args($RUNTIME, "$PREFIX-intruder"),
    '--security-opt', 'seccomp=unconfined', '-v', "$vsock:/vsock:ro",
    TEST_IMAGE, '/vsock', 'dial', 2, $cid);
like $p->out, $shown_the_door, 'another VM: shown the door'
    or diag $p->err;
kill 'CONT', $pid;
ok eventually(60, sub { docker('logs', $vm)->out =~ /alive/ }),
    'and the VM that was meant starts all the same'
    or diag docker('logs', $vm)->err;
$p = run([$vsock, 'dial', 1, $cid], timeout => 60);
like $p->out, qr/no connection/, 'once it has dialled nobody listens';
$p = docker('run', '--rm', run_args($RUNTIME, "$PREFIX-own"),
    '--security-opt', 'seccomp=unconfined', '-v', "$vsock:/vsock:ro",
    TEST_IMAGE, 'sh', '-c', '/vsock dial 2 1024; /vsock dial 1 1024; echo ran');
like $p->out, qr/ran$/, 'a guest may dial what it likes, and lives';

# ---- CIDs that are taken ----
tap_of('CIDs', '/usr/local/bin/cid');

done_testing();
