#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# --cpus, --cpuset-cpus and -m size the VM; docker update follows as far as a
# running VM can.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

need_runq();

my $number = 0;
chomp(my $online = qx(nproc));

sub vm {
	my ($opts, @cmd) = @_;

	return docker('run', '--rm', run_args($RUNTIME, "$PREFIX-" . ++$number),
	    @$opts, TEST_IMAGE, @cmd);
}

sub cpus_are {
	my ($opts, $want, $what) = @_;
	my $p = vm($opts, 'grep', '-c', '^processor', '/proc/cpuinfo');

	is $p->out, "$want\n", $what or diag $p->err;
}

# ---- CPUs ----
SKIP: {
	skip "this host has $online CPU", 4 if $online < 2;
	cpus_are(['--cpus', '1.5'], 2, '--cpus 1.5: two CPUs');
	cpus_are(['--cpuset-cpus', '0-1'], 2, '--cpuset-cpus 0-1: two CPUs');
	cpus_are(['--cpus', '2', '--cpuset-cpus', '1'], 1,
	    '--cpus 2 on one CPU of the host: one');
	cpus_are(['--cpus', '1', '-e', 'RUNQ_CPU=2'], 2,
	    'RUNQ_CPU goes before --cpus');
}
cpus_are(['--cpus', '0.5'], 1, '--cpus 0.5: one CPU');

# ---- docker update ----
sub mem_available {
	my ($name) = @_;

	return docker('exec', $name, 'cat', '/proc/meminfo')->out =~
	    /MemTotal:\s+(\d+) kB/ ? $1 / 1024 : -1;
}

# The limit of the container around the VM, MiB, on cgroup v1 or v2.
sub outer_limit {
	my ($name) = @_;
	my $cgroup = slurp('/proc/' . container_pid($name) . '/cgroup');

	for my $path ($cgroup =~ /memory\S*:(\S+)/ ? "memory$1/memory.limit_in_bytes" :
	    (), $cgroup =~ /^0::(\S+)/m ? "$1/memory.max" : ()) {
		my $v = slurp("/sys/fs/cgroup/$path") // next;
		return $v =~ /^\d+$/ ? $v >> 20 : $v;
	}
	return -1;
}

my $name = "$PREFIX-sized";
docker_ok('run', '-d', run_args($RUNTIME, $name), '-m', '400m', '--cpus', '1',
    TEST_IMAGE, 'sh', '-c', 'echo ready; exec sleep 1000000');
ok eventually(90, sub { docker('logs', $name)->out =~ /ready/ }), 'a VM';
my $overhead = outer_limit($name) - 400;
cmp_ok $overhead, '>=', 100, "-m 400m: $overhead MiB on top for the VM";
my $before = mem_available($name);

my $p = docker('update', '--memory', '300m', '--memory-swap', '600m', $name);
is $p->code, 0, 'update to less memory' or diag $p->err;
is outer_limit($name), 300 + $overhead, 'the VM\'s overhead stays on top';
my $after;
ok eventually(30, sub { ($after = mem_available($name)) < $before - 80 }),
    'the guest has given memory back' or diag "$before, $after";
$p = docker('update', '--memory', '400m', '--memory-swap', '800m', $name);
is $p->code, 0, 'update to what it had' or diag $p->err;
ok eventually(30, sub { ($after = mem_available($name)) > $before - 20 }),
    'the guest has its memory again' or diag "$before, $after";

$p = docker('update', '--memory', '800m', '--memory-swap', '1600m', $name);
isnt $p->code, 0, 'more than the VM was made with is refused';
like $p->err, qr/--memory: 800 MiB: the VM was made with 400 MiB/,
    'with words';
is outer_limit($name), 400 + $overhead, 'and nothing changes';
$p = docker('update', '--memory', '50m', $name);
isnt $p->code, 0, 'less than a VM can have is refused';
like $p->err, qr/50 MiB.*cannot be made smaller/, 'with words';
$p = docker('update', '--cpus', '0.5', $name);
is $p->code, 0, 'update to less of a CPU' or diag $p->err;
SKIP: {
	skip "this host has $online CPU", 2 if $online < 2;
	$p = docker('update', '--cpus', '2', $name);
	isnt $p->code, 0, 'more CPUs than the VM has are refused';
	like $p->err, qr/2 CPUs: the VM was made with 1/, 'with words';
}
is docker('update', '--restart', 'no', $name)->code, 0,
    'update of what is no limit';
is docker('exec', $name, 'echo', 'alive')->out, "alive\n", 'the VM is well';
docker_ok('rm', '-f', $name);

# Without a limit at the start the VM's size is not one: a larger limit is
# kept, as the VM cannot use more.
docker_ok('run', '-d', run_args($RUNTIME, $name), TEST_IMAGE, 'sh', '-c',
    'echo ready; exec sleep 1000000');
ok eventually(90, sub { docker('logs', $name)->out =~ /ready/ }), 'a VM';
is docker('update', '--memory', '1g', '--memory-swap', '2g', $name)->code, 0,
    'a limit for one that had none';
is outer_limit($name), 1024 + $overhead, 'with the overhead';
is docker('exec', $name, 'echo', 'alive')->out, "alive\n", 'the VM is well';
docker_ok('rm', '-f', $name);

# A runc container is runc's.
docker_ok('run', '-d', run_args($REFERENCE, $name), '-m', '100m', TEST_IMAGE,
    'probe', 'hold');
is docker('update', '--memory', '200m', '--memory-swap', '400m', $name)->code,
    0, 'a container of another runtime';
is outer_limit($name), 200, 'has the limit itself';

done_testing();
