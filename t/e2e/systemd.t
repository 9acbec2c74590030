#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# RUNQ_SYSTEMD: a stock Debian with systemd as its entry point, its end by
# poweroff, halt, reboot, and docker stop.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

use constant IMAGE => 'runq-e2e-systemd';

need_runq();
plan(skip_all => 'no image ' . IMAGE . ' (mmdebstrap missing or failed)')
    if docker('image', 'inspect', IMAGE)->code ne '0';

my $number = 0;
my @all = ('--cap-add', 'all', '--security-opt', 'seccomp=unconfined');

# Waits until all is started, or the container has ended.
sub booted {
	my ($name) = @_;
	my $how = eventually(240, sub {
		return 'ended' if inspect($name)->{State}{Status} eq 'exited';
		return docker('exec', $name, 'systemctl',
		    'is-system-running')->out =~ /(running|degraded)/ ? $1 : '';
	});

	like $how, qr/running|degraded/, 'it boots' or
	    diag docker('logs', $name)->err;
}

sub boot {
	my (@opts) = @_;
	my $name = "$PREFIX-" . ++$number;

	docker_ok('run', '-d', run_args($RUNTIME, $name), '-e',
	    'RUNQ_SYSTEMD=1', '-e', 'RUNQ_MEM=512', @opts, IMAGE);
	booted($name);
	return $name;
}

# The state after an end that $how has begun.
sub ended {
	my ($name) = @_;
	my $ran = eventually(120, sub {
		inspect($name)->{State}{Status} ne 'running' });

	ok $ran, 'it ends';
	return inspect($name)->{State};
}

my $name = boot(@all, '-e', 'GREETING=hello there', '-e', 'RUNQ_RUNQENV=1');
is docker('exec', $name, 'systemctl', 'is-active', 'multi-user.target')->out,
    "active\n", 'multi-user.target';
is docker('exec', $name, 'systemctl', 'is-system-running')->out,
    "running\n", 'no unit failed' or
    diag docker('exec', $name, 'systemctl', '--failed', '--no-pager')->out;
is docker('exec', $name, 'cat', '/proc/1/comm')->out, "systemd\n",
    'systemd is PID 1';
like docker('exec', $name, 'cat', '/.runqenv')->out, qr/^GREETING=hello there$/m,
    '/.runqenv for units';
like docker('exec', $name, 'sh', '-c', 'grep -c "^cgroup2 /sys/fs/cgroup " /proc/mounts; stat -f -c %T /run')->out,
    qr/^1\ntmpfs$/, 'control groups by systemd, /run';
is docker('exec', $name, 'systemd-run', '--wait', '--pipe', '-q', 'sh', '-c',
	'cat /proc/self/cgroup')->out =~ m{/system\.slice/run-.*\.service} ? 1 : 0,
    1, 'a unit in a control group of its own';
docker('exec', $name, 'systemctl', 'poweroff');
is ended($name)->{ExitCode}, 0, 'poweroff: 0';

docker_ok('start', $name);
booted($name);
docker('exec', $name, 'systemctl', 'reboot');
is ended($name)->{ExitCode}, 1, 'reboot: 1';

# docker stop's SIGTERM is systemd's poweroff; without it systemd would
# execute itself anew, and be killed after the time.
docker_ok('start', $name);
booted($name);
docker_ok('stop', '-t', '120', $name);
is inspect($name)->{State}{ExitCode}, 0, 'docker stop: 0';

# With what every container may do.
$name = boot('--tmpfs', '/tmp');
is docker('exec', $name, 'systemctl', 'is-active', 'multi-user.target')->out,
    "active\n", 'multi-user.target without privileges';
like docker('logs', $name)->err, qr/RUNQ_SYSTEMD.*SYS_BOOT/,
    'a warning of what will be missed';
docker('exec', $name, 'systemctl', 'poweroff');
is ended($name)->{ExitCode}, 0, 'poweroff without privileges: 0';

done_testing();
