#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A paused VM: what the runtime says of it, what ends it, when it is paused.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use E2E;

need_runq();

my $name = "$PREFIX-vm";
my $count = 'i=0; while :; do i=$((i + 1)); echo "line $i"; sleep 0.1; done';

sub proc_state { return (slurp("/proc/$_[0]/stat") // '') =~ /\) (\w)/ ? $1 : '' }

sub pid_of {
	my ($what) = @_;
	my $pids = container_pids($name);

	return (grep { $pids->{$_} =~ /^$what/ } keys %$pids)[0];
}

# The runtime as containerd calls it.
sub runtime {
	my ($command) = @_;
	my $id = inspect($name)->{Id};
	my ($root) = map { s{/\Q$id\E$}{}r } glob "/run/docker/runtime-*/moby/$id";

	return run([$RUNQ, '--root', $root // '/none', $command, $id]);
}

sub status { return decode_json(runtime('state')->out)->{status} }

sub lines { return scalar split /\n/, docker('logs', $name)->out }

sub more_lines {
	my $before = lines();

	return eventually(60, sub { lines() > $before });
}

docker_ok('run', '-d', run_args($RUNTIME, $name), TEST_IMAGE, 'sh', '-c',
    $count);
ok eventually(120, sub { lines() > 0 }), 'it runs' or
    diag docker('logs', $name)->err;
is status(), 'running', 'state: running';
my $p = runtime('resume');
is $p->code, 1, 'resume of one that runs: refused';
like $p->err, qr/resume: the container is not paused/, 'with a sentence';

docker_ok('pause', $name);
is status(), 'paused', 'state: paused';
is proc_state(pid_of('qemu')), 'T', 'QEMU is stopped';
isnt proc_state(container_pid($name)), 'T', 'the supervisor is not';
my $before = lines();
$p = runtime('pause');
is $p->code, 1, 'pause of a paused one: refused';
like $p->err, qr/pause: the container is paused already/, 'with a sentence';
is lines(), $before, 'it does nothing meanwhile';
docker_ok('unpause', $name);
is status(), 'running', 'state: running again';
ok more_lines(), 'it goes on';

# docker commit pauses, too
is docker('commit', $name, "$PREFIX-image")->code, 0, 'docker commit';
ok more_lines(), 'it goes on after that';
docker('rmi', "$PREFIX-image");

docker_ok('pause', $name);
my $id = inspect($name)->{Id};
is docker('stop', '-t', 1, $name)->code, 0, 'docker stop of a paused one';
is inspect($name)->{State}{ExitCode}, 137, 'it was killed';
docker_ok('start', $name);
docker_ok('pause', $name);
ok !eventually(0.5, sub { proc_state(pid_of('qemu')) ne 'T' }),
    'paused as soon as it was started: it does not boot';
docker_ok('unpause', $name);
ok more_lines(), 'then it does';
docker_ok('pause', $name);
is docker('rm', '-f', $name)->code, 0, 'docker rm -f of a paused one';
my @left;
eventually(10, sub { !(@left = leftovers($id)) });
is "@left", '', 'nothing is left';

done_testing();
