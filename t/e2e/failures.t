#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Failures have words: whatever dies or is missing, the container ends with a
# status that is not zero and one clear sentence on stderr, within a
# deadline, and nothing of it is left.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX qw(uname);
use Test::More;
use E2E;

need_runq();

my $number = 0;
my @accel = $RUNTIME eq 'runq' ? () : ('--accel', 'tcg');
my $image_dir = "$E2E::HOME/qemu";

# Runs a container, does something to it when it is ready, and checks how it
# ends.
#	runtime, opts, cmd	what is run
#	strike => sub { name }	what happens to it; without it the container
#				must end by itself
#	code => qr/.../, say => qr/.../	the status, and what stderr must say
#	within => seconds, from the strike
#	before_start => 1	no container may ever run
sub failure {
	my ($what, %f) = @_;
	my $name = "$PREFIX-" . ++$number;
	my $cid = File::Temp::tempnam('/var/tmp', "$PREFIX-cid");
	my $proc = start(['docker', 'run', '--cidfile', $cid, run_args(
		$f{runtime} // $RUNTIME, $name), @{ $f{opts} || [] },
		TEST_IMAGE, @{ $f{cmd} || ['probe', 'hold'] }]);

	subtest $what => sub {
		if ($f{strike}) {
			ok defined $proc->expect(qr/ready/, 120), 'it runs'
			    or diag $proc->err;
			$f{strike}->($name);
		}
		my $code = $proc->finish($f{within} // 30);
		like $code, $f{code}, "status $code";
		isnt $code, 'timeout', 'within the deadline';
		like $proc->err, $f{say}, 'stderr says it';
		like $proc->err, $f{console}, 'and shows the console'
		    if $f{console};
		my $sentences = grep { /^(runq|supervisor|docker|init): (?!guest console: )/ }
		    split /\n/, $proc->err;
		is $sentences, 1, 'in one sentence' or diag $proc->err;
		$f{also}->($name, $proc) if $f{also};
		my $id = slurp($cid) // '';
		docker('rm', '-f', $name);
		unlink $cid;
		my @left;
		eventually(10, sub { !(@left = leftovers($id)) })
		    if length $id == 64;
		is "@left", '', 'nothing is left';
	};
}

# Kills one process of the container, found by its pid namespace.
sub kill_one {
	my ($name, $re) = @_;
	my $pids = container_pids($name);
	my @match = grep { $pids->{$_} =~ $re } sort { $a <=> $b } keys %$pids;

	die "no process $re among: " . join ' ', values %$pids if !@match;
	kill 'KILL', $match[0];
}

# The assembled image directory once more, with one thing changed.
sub broken_image {
	my ($change) = @_;
	my $dir = tempdir() . '/qemu';

	run(['cp', '-al', $image_dir, $dir])->code eq '0' or die 'cp -al';
	$change->($dir);
	return $dir;
}

sub runtime_with_image {
	my ($label, $change) = @_;

	return runtime_with($label, @accel, '--image-dir',
	    broken_image($change), '--boot-timeout', '5');
}

sub runtime_with {
	my ($label, @args) = @_;
	my $name = "$PREFIX-$label";

	register_runtime($name, $RUNQ, @args);
	return $name;
}

sub initrd_of {
	my ($dir) = @_;

	return "$dir/boot/initrd-" . (uname)[4];
}

# An initrd whose init never answers, as cpio in the newc format.
sub sleeping_initrd {
	my ($dir) = @_;
	my $root = tempdir();

	mkdir "$root/bin";
	run(['cp', find_program('busybox'), "$root/bin/busybox"]);
	spew("$root/init", "#!/bin/busybox sh\necho this init sleeps\n" .
	    "exec /bin/busybox sleep 100000\n");
	chmod 0755, "$root/init";
	my ($initrd) = initrd_of($dir);
	unlink $initrd;
	run(['sh', '-c', 'cd "$1" && find . | "$2" cpio -o -H newc >"$3"',
		'sh', $root, find_program('busybox'), $initrd])->code eq '0'
	    or die 'cpio';
}

# ---- what dies while it runs ----
failure 'QEMU is killed', code => qr/^[1-9]\d*$/,
    say => qr/QEMU|qemu|VM/, strike => sub { kill_one($_[0], qr/qemu/) };
failure 'virtiofsd is killed', code => qr/^[1-9]\d*$/,
    say => qr/virtiofsd/, strike => sub { kill_one($_[0], qr/virtiofsd/) };
failure 'the guest kernel panics', opts => ['--privileged'],
    cmd => ['sh', '-c', 'trap "echo c >/proc/sysrq-trigger" USR1; echo ready; while :; do sleep 1000 & wait; done'],
    strike => sub { docker_ok('kill', '-s', 'USR1', $_[0]) }, within => 60,
    code => qr/^[1-9]\d*$/, say => qr/panic|kernel/i,
    console => qr/guest console: .*entry_SYSCALL/;

# The supervisor is the container: the client gets what the kernel reports.
{
	my $name = "$PREFIX-supervisor";
	my $p = start(['docker', 'run', run_args($RUNTIME, $name),
		TEST_IMAGE, 'probe', 'hold']);
	ok defined $p->expect(qr/ready/, 120), 'supervisor killed: it ran';
	my $id = inspect($name)->{Id};
	kill 'KILL', container_pid($name);
	is $p->finish(30), 137, 'supervisor killed: status 137';
	docker('rm', '-f', $name);
	my @left;
	eventually(10, sub { !(@left = leftovers($id)) });
	is "@left", '', 'supervisor killed: nothing is left';
}

# ---- what never starts ----
failure 'the kernel is missing', runtime => runtime_with_image('nokernel',
	sub { unlink glob "$_[0]/boot/vmlinux*" }),
    code => qr/^[1-9]\d*$/, say => qr/vmlinux.*No such file|kernel/i;
failure 'the initrd is missing', runtime => runtime_with_image('noinitrd',
	sub { unlink initrd_of($_[0]) }),
    code => qr/^[1-9]\d*$/, say => qr/initrd/;
failure 'QEMU is missing', runtime => runtime_with_image('noqemu',
	sub { unlink glob "$_[0]/usr/bin/qemu-system-*" }),
    code => qr/^[1-9]\d*$/, say => qr/qemu/i;
failure 'virtiofsd is missing', runtime => runtime_with_image('novirtiofsd',
	sub { unlink "$_[0]/usr/lib/qemu/virtiofsd" }),
    code => qr/^[1-9]\d*$/, say => qr/virtiofsd/;
failure 'the supervisor is missing', runtime => runtime_with_image('nosuper',
	sub { unlink "$_[0]/sbin/supervisor" }),
    code => qr/^[1-9]\d*$/, say => qr/supervisor/;
failure 'the agent never answers', runtime => runtime_with_image('silent',
	\&sleeping_initrd), within => 40, code => qr/^[1-9]\d*$/,
    say => qr/agent.*answer/, console => qr/this init sleeps/;
failure 'the initrd is garbage', runtime => runtime_with_image('garbage',
	sub {
		my ($initrd) = initrd_of($_[0]);
		unlink $initrd;
		spew($initrd, 'no initrd at all' x 1000);
	}), within => 40, code => qr/^[1-9]\d*$/, say => qr/kernel|panic/i,
    console => qr/mount_block_root|Kernel panic/;
failure 'the image directory is missing', runtime => runtime_with('noimage',
	'--image-dir', '/no/such/directory'),
    code => qr/^[1-9]\d*$/, say => qr{/no/such/directory};
failure 'the delegate runtime is missing', runtime => runtime_with('nodelegate',
	'--runc', '/no/such/runc'),
    code => qr/^[1-9]\d*$/, say => qr{/no/such/runc};

SKIP: {
	# With a usable KVM this is no failure; the flag decides as in runq.
	skip '--accel kvm: KVM seems to work on this machine', 1
	    if slurp('/proc/cpuinfo') =~ /^flags.*\b(vmx|svm)\b/m;
	failure '--accel kvm where KVM cannot be used',
	    runtime => runtime_with('kvm', '--accel', 'kvm'),
	    code => qr/^[1-9]\d*$/, say => qr/kvm/i;
}

failure 'RUNQ_MEM does not fit into the memory limit',
    opts => ['-m', '256m', '-e', 'RUNQ_MEM=1024'], code => qr/^[1-9]\d*$/,
    say => qr/memory|RUNQ_MEM/;

# ---- the same by docker start, and with a terminal ----
{
	my $name = "$PREFIX-tty";
	my $p = start(['docker', 'run', '-it', run_args($RUNTIME, $name),
		TEST_IMAGE, 'probe', 'hold'], pty => [24, 80]);
	ok defined $p->expect(qr/ready/, 120), 'with a terminal: it runs';
	kill_one($name, qr/qemu/);
	like $p->finish(30), qr/^[1-9]\d*$/, 'with a terminal: not zero';
	like $p->out, qr/QEMU|VM/, 'with a terminal: the sentence';
}

done_testing();
