#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Many sessions of runq-exec at once in one container, and thousands of
# strangers at its door. How many, and how much each session moves both ways:
# RUNQ_E2E_SESSIONS, RUNQ_E2E_SESSION_KIB (10240 takes some minutes without
# KVM), RUNQ_E2E_STRANGERS.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes 'time';
use E2E;

need_runq();
my $home = $E2E::HOME;
my $client = "$home/runq-exec";
my $load = "$BUILD/t/exec-load";
plan skip_all => "$client is not installed" if !-x $client;
plan skip_all => "no certificates in $home: run $home/image/mkcerts"
    if !-e "$home/key.pem";
plan skip_all => "$load is not built: make t/exec-load" if !-x $load;

my $sessions = $ENV{RUNQ_E2E_SESSIONS} // 200;
my $kib = $ENV{RUNQ_E2E_SESSION_KIB} // 512;
my $strangers = $ENV{RUNQ_E2E_STRANGERS} // 10_000;

# The supervisor's memory at its peak, whatever its sessions do: what it is
# without them, all windows, and what TLS and buffers take for each.
my $BOUND_KIB = 32 * 1024 + $sessions * 160;

my $dir = tempdir();
my $number = 0;

sub box {
	my (@opts) = @_;
	my $name = "$PREFIX-" . ++$number;

	docker_ok('run', '-d', run_args($RUNTIME, $name), @opts, TEST_IMAGE,
	    'sleep', '100000');
	docker_ok('exec', $name, 'true');
	return $name;
}

sub fds {
	my ($pid) = @_;

	return scalar(() = glob "/proc/$pid/fd/*");
}

sub peak_kib {
	my ($pid) = @_;

	return ((slurp("/proc/$pid/status") // '') =~ /^VmHWM:\s+(\d+) kB/m)[0];
}

# What exec-load prints: name => [values].
sub figures {
	my ($text) = @_;

	return map { my ($name, @v) = split; ($name, \@v) } split /\n/, $text;
}

sub median {
	my (@t) = sort { $a <=> $b } @_;

	return $t[@t / 2];
}

sub processes {
	my ($name) = @_;

	return join ' ', sort values %{ container_pids($name) };
}

# What sessions and strangers may leave: nothing.
sub nothing_left {
	my ($name, $before, $what) = @_;
	my $pid = container_pid($name);

	ok eventually(60, sub { fds($pid) <= $before->{fds} }),
	    "$what: no descriptor is left" or
	    diag "$before->{fds} before, " . fds($pid) . ' after';
	my $now;
	ok eventually(60, sub { ($now = processes($name)) eq
		$before->{processes} }), "$what: no process in the container"
	    or diag "$before->{processes} before, $now after";
	ok eventually(60, sub { docker('exec', $name, 'sh', '-c',
		'ps -o comm | grep -cvE "^(COMMAND|sleep|sh|ps|grep)$"')->out
		eq "0\n" }), "$what: nor in the guest" or
	    diag docker('exec', $name, 'ps')->out;
}

# What the kernel counts for the container's control group: its peak in MiB,
# and how often it killed for want of memory.
sub group_memory {
	my ($pid) = @_;
	my $text = slurp("/proc/$pid/cgroup") // '';
	my ($v1) = $text =~ /^\d+:memory:(.*)$/m;
	my ($v2) = $text =~ /^0::(.*)$/m;
	my $at = defined $v1 ? "/sys/fs/cgroup/memory$v1" : "/sys/fs/cgroup$v2";
	my $peak = slurp("$at/memory.max_usage_in_bytes") //
	    slurp("$at/memory.peak") // 0;
	my $kills = slurp("$at/memory.oom_control") //
	    slurp("$at/memory.events") // '';

	return (int($peak / (1 << 20)), ($kills =~ /^oom_kill (\d+)/m)[0]);
}

sub before {
	my ($name) = @_;
	my $pid = container_pid($name);

	return { fds => fds($pid), processes => processes($name) };
}

# ---- bytes, fairness, memory -------------------------------------------------
{
	my $name = box('-e', 'RUNQ_MEM=512');
	my $pid = container_pid($name);
	my $before = before($name);
	my $idle = peak_kib($pid);
	my $p = run([$load, 'sessions', $sessions, $kib * 1024, $client, '-i',
		$name, 'cat'], timeout => 1200);
	my %saw = figures($p->out);

	is $p->code, 0, "$sessions sessions, $kib KiB both ways each" or
	    diag $p->err;
	is $saw{good}[0], $sessions, 'all bytes are right and all codes are 0'
	    or diag $p->out . $p->err;
	is $saw{held}[0], 1, 'one did not read until the others had ended';
	is $saw{starving}, undef, 'nobody starves';
	cmp_ok $saw{overtaken}[0], '<=', 0.9 * $sessions,
	    'each has its first bytes before nine of ten have ended';
	note "first bytes after (ms: least, middle, most): @{ $saw{first} }";
	note "ended after (ms): @{ $saw{done} }";
	my $peak = peak_kib($pid);
	cmp_ok $peak, '<=', $BOUND_KIB,
	    "the supervisor's memory is bounded: $idle KiB before, $peak at its peak";
	nothing_left($name, $before, 'afterwards');
	docker('rm', '-f', $name);
}

# ---- nobody reads ------------------------------------------------------------
{
	my $name = box('-m', '256m');
	my $pid = container_pid($name);
	my $before = before($name);
	my $p = start([$load, 'stuck', $sessions, $client, '-i', $name, 'cat',
		'/dev/zero'], stdin => 'hold');

	like $p->expect(qr/^stuck .*\n/m, 300) // $p->err,
	    qr/^stuck $sessions \d+\n/, "-m 256m: $sessions sessions whose " .
	    'output nobody reads, and who read no input';
	note $p->out;
	my $peak = peak_kib($pid);
	cmp_ok $peak, '<=', $BOUND_KIB, "the supervisor's memory: $peak KiB";
	is docker('exec', $name, 'echo', 'alive')->out, "alive\n",
	    'another session works beside them';
	my $state = inspect($name)->{State};
	my ($mib, $kills) = group_memory($pid);
	ok $state->{Running} && !$state->{OOMKilled}, 'the container runs';
	SKIP: {
		skip 'no control group that counts memory', 1 if !defined $kills;
		is $kills, 0, 'nothing was killed for want of memory';
	}
	note "the container's peak: $mib MiB of 256 + 192";
	$p->close_stdin;
	is $p->finish(120), 0, 'they end' or diag $p->err;
	nothing_left($name, $before, 'stuck sessions');
	docker('rm', '-f', $name);
}
# ---- strangers ---------------------------------------------------------------
# Seconds of one honest session.
sub honest {
	my ($name, $bad) = @_;
	my $begin = time;
	my $p = run([$client, $name, 'true'], timeout => 60);

	push @$bad, $p->code . ' ' . $p->err if $p->code ne '0';
	return time - $begin;
}

# Honest sessions in $name while $n strangers are at the door of container $id:
# their seconds.
sub beside_strangers {
	my ($name, $id, $n, $bad) = @_;
	my $p = start([$load, 'strangers', $n, $id, "$dir/foreign/cert.pem",
		"$dir/foreign/key.pem"]);
	my @seconds;

	push @seconds, honest($name, $bad) while $p->running || !@seconds;
	$p->finish(600);
	my %saw = figures($p->out);
	push @$bad, $p->err . $p->out if $p->code ne '0' ||
	    "@{ $saw{strangers} } @{ $saw{'let-in'} }" ne "$n 0";
	return @seconds;
}

sub summary {
	my (@seconds) = sort { $a <=> $b } @_;

	return sprintf '%.3f s (%.3f to %.3f, %d of them)', median(@seconds),
	    @seconds[0, -1], scalar @seconds;
}

# Strangers take the machine's time, at whichever door they are. What they must
# not do is delay who comes to the same one: so an honest session beside them
# is compared with one beside strangers at another container's door.
{
	my ($name, $other) = (box(), box());
	my ($id, $id_of_other) = map { docker_ok('inspect', '-f', '{{.Id}}', $_)
	    } $name, $other;
	my $before = before($name);
	my (@usual, @control, @beside, @bad);
	my $n = $strangers;

	run(["$home/image/mkcerts", '--dir', "$dir/foreign"]);
	honest($name, \@bad);
	for (1 .. 3) {
		@usual = map { honest($name, \@bad) } 1 .. 9;
		@control = beside_strangers($name, $id_of_other,
		    $strangers / 5, \@bad);
		@beside = beside_strangers($name, $id, $n, \@bad);
		note 'an honest session: ' . summary(@usual);
		note 'beside strangers at another door: ' . summary(@control);
		note "beside $n at this one: " . summary(@beside);
		last if median(@beside) <= 2 * median(@control);
		$n = $strangers / 5;
	}
	is "@bad", '', "honest sessions beside $strangers strangers, " .
	    'none of whom was let in';
	cmp_ok median(@beside), '<=', 2 * median(@control),
	    'are not delayed by them';
	nothing_left($name, $before, 'strangers');
}
done_testing();
