#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Nothing is left over: counts of what the machine holds, before and after 20
# containers at once and 100 one after the other (RUNQ_E2E_COUNT: fewer).
# Runs alone; other containers on the machine would be counted too.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

my $sequence = $ENV{RUNQ_E2E_COUNT} // 100;
my $at_once = $sequence < 20 ? $sequence : 20;

sub processes {
	my ($re) = @_;

	return scalar grep { (slurp("$_/comm") // '') =~ $re }
	    glob '/proc/[0-9]*';
}

# Connections of clients to an engine, by inode. A Go program closes what a
# client has left when its garbage is collected, minutes later.
sub connections {
	my %inode;

	for (split /\n/, slurp('/proc/net/unix') // '') {
		my @field = split ' ';
		$inode{$field[6]} = 1
		    if ($field[7] // '') =~ m{/(docker|containerd)\.sock$};
	}
	return \%inode;
}

sub fds_of {
	my ($name) = @_;
	my ($n, $connections) = (0, connections());

	for my $dir (glob '/proc/[0-9]*') {
		next if (slurp("$dir/comm") // '') ne "$name\n";
		for my $to (map { readlink // '' } glob "$dir/fd/*") {
			next if $to =~ /anon_inode:\[eventpoll/;
			next if $to =~ /^socket:\[([0-9]+)\]$/ &&
			    $connections->{$1};
			$n++;
		}
	}
	return $n;
}

sub lines {
	my ($path, $re) = @_;

	return scalar grep { $re ? /$re/ : 1 } split /\n/, slurp($path) // '';
}

sub directories {
	return scalar split /\n/, run(['find', @_, '-xdev', '-type', 'd'])->out;
}

# What is counted, by name.
my %count = (
	'processes of VMs' => sub { processes(qr/^(qemu|virtiofsd|supervisor|runq)/) },
	'processes of shims and runtimes' => sub {
		processes(qr/^(containerd-shim|runc|crun|docker-proxy)/) },
	'zombies' => sub { scalar grep { (slurp("$_/stat") // '') =~ /\) Z/ }
	    glob '/proc/[0-9]*' },
	'network interfaces' => sub { lines('/proc/net/dev') },
	'mounts' => sub { lines('/proc/self/mounts') },
	'mounts seen by dockerd' => sub {
		my ($pid) = grep { (slurp("$_/comm") // '') eq "dockerd\n" }
		    glob '/proc/[0-9]*';
		return $pid ? lines("$pid/mounts") : 0;
	},
	'file descriptors of dockerd' => sub { fds_of('dockerd') },
	'file descriptors of containerd' => sub { fds_of('containerd') },
	'loop devices in use' => sub { scalar grep { -e "$_/loop/backing_file" }
	    glob '/sys/block/loop*' },
	'cgroups' => sub { directories('/sys/fs/cgroup', glob '/sys/fs/cgroup/*') },
	'unix sockets' => sub {
		lines('/proc/net/unix') - keys %{connections()} },
	'abstract sockets of runq' => sub { lines('/proc/net/unix', qr/\@.*runq/) },
	'files of engines and runtimes in /run' => sub {
		scalar grep { m{/run/(docker|containerd|runc|runq)} }
		    split /\n/, run(['find', '/run', '-xdev'])->out },
	'files in /var/lib/runq and /dev/shm' => sub {
		scalar split /\n/, run(['find', '/dev/shm', $E2E::HOME,
			'-xdev'])->out },
	'files in /tmp and /var/tmp' => sub {
		scalar grep { /runq|qemu|virtiofs|vfsd/ && !/runq-e2e/ }
		    split /\n/, run(['find', '/tmp', '/var/tmp', '-xdev',
			'-maxdepth', '1'])->out },
	'containers' => sub {
		scalar split /\n/, docker('ps', '-aq')->out },
	'namespaces held by mounts' => sub {
		lines('/proc/self/mountinfo', qr/ nsfs /) },
);

sub snapshot {
	return { map { $_ => $count{$_}->() } keys %count };
}

# Containers that are not ours.
sub others {
	my @ids = split ' ', docker('ps', '-q')->out;
	my %own = map { $_ => 1 } split ' ', docker('ps', '-q', '--filter',
	    "label=runq-e2e=$PREFIX")->out;

	return scalar grep { !$own{$_} } @ids;
}

sub compare {
	my ($what, $before) = @_;

	SKIP: {
		skip "$what: other containers run on this machine",
		    scalar keys %count if others();
		compare_now($what, $before);
	}
}

sub compare_now {
	my ($what, $before) = @_;

	for my $name (sort keys %count) {
		my $now;
		my $allowed = $before->{$name} +
		    # Go's runtime keeps a few idle connections and timers
		    ($name =~ /^(file descriptors|unix sockets)/ ? 4 : 0);
		eventually(30, sub { ($now = $count{$name}->()) <= $allowed });
		cmp_ok $now, '<=', $allowed,
		    "$what: $name: $before->{$name} before, $now after";
	}
}

sub run_one {
	my ($name, @cmd) = @_;

	return start(['docker', 'run', '--rm', run_args($RUNTIME, $name),
		TEST_IMAGE, @cmd]);
}

plan skip_all => 'other containers run on this machine, and would be counted'
    if !eventually(20, sub { !others() });

# One before counting: what is made once, by the first container.
is run_one("$PREFIX-first", 'true')->finish(120), 0, 'a first container';
my $before = snapshot();

{
	my @procs = map { run_one("$PREFIX-p$_", 'sh', '-c',
		"echo I am $_; exit $_") } 1 .. $at_once;
	my @wrong;
	for my $i (1 .. $at_once) {
		my $code = $procs[$i - 1]->finish(600);
		my $out = $procs[$i - 1]->out;
		push @wrong, "$i: status $code, $out" . $procs[$i - 1]->err
		    if $code ne $i || $out ne "I am $i\n";
	}
	is "@wrong", '', "$at_once containers at once end as they should";
	compare("$at_once at once", $before);
}

{
	my @wrong;
	for my $i (1 .. $sequence) {
		my $code = $i % 250;
		my $p = run_one("$PREFIX-s$i", 'sh', '-c', "echo $i; exit $code");
		push @wrong, "$i: " . $p->code . $p->out . $p->err
		    if $p->finish(120) ne $code || $p->out ne "$i\n";
		progress("$i done") if $i % 20 == 0;
	}
	is "@wrong", '', "$sequence containers one after the other";
	compare("$sequence in sequence", $before);
}

{
	my @procs = map { run_one("$PREFIX-k$_", 'probe', 'hold') } 1 .. 4;
	for my $i (1 .. 4) {
		$procs[$i - 1]->expect(qr/ready/, 120);
		docker('rm', '-f', "$PREFIX-k$i");
		$procs[$i - 1]->finish(30);
	}
	compare('4 removed while they run', $before);
}

{
	my @procs = map { run_one("$PREFIX-e$_", 'probe', 'hold') } 1 .. 4;
	for my $i (1 .. 4) {
		eventually(60, sub { container_pid("$PREFIX-e$i") });
		docker('rm', '-f', "$PREFIX-e$i");
		$procs[$i - 1]->finish(30);
	}
	compare('4 removed while they boot', $before);
}

done_testing();
