#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Engines other than Docker, and delegates other than runc.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

need_runq();

my $dir = tempdir();
my @accel = $RUNTIME eq 'runq' ? () : ('--accel', 'tcg');

# Whether an engine can run a container here at all, with the stock runtime.
sub works {
	my (@cmd) = @_;
	my $p = run([@cmd], timeout => 60);

	return $p->code eq '0' ? '' : (split /\n/, $p->err)[-1] // 'no message';
}

# ---- Podman ----
SKIP: {
	skip 'Podman: not installed', 14 if !find_program('podman');
	my @store = ('podman', '--root', "$dir/podman", '--runroot',
	    "$dir/podman-run", '--cgroup-manager', 'cgroupfs',
	    '--events-backend', 'none', '--storage-driver', 'vfs');
	# more than the machine may give to a container, by default
	my @limits = ('--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=512:512');
	my $load = run(['sh', '-c', 'docker save "$0" | "$@"', TEST_IMAGE . ':latest',
		@store, 'load']);
	skip 'Podman: cannot load an image here: ' . $load->err, 14
	    if $load->code ne '0';
	my ($image) = $load->out =~ /: (\S+)$/m;
	my @net = (@limits, '--network', 'none');
	my $why = works(@store, '--runtime', 'runc', 'run', '--rm', @net, $image,
	    'true');
	skip "Podman: does not run runc here: $why", 14 if $why;
	my @runq = (@store, '--runtime', $RUNQ,
	    map { ('--runtime-flag', s/^--//r) } @accel ? ('--accel=tcg') : ());
	my $p = run([@runq, 'run', '--rm', @net, $image, 'sh', '-c',
		'echo out; echo err >&2; uname -r; exit 17']);
	is $p->code, 17, 'Podman: the exit status' or diag $p->err;
	like $p->out, qr/^out\n/, 'Podman: stdout';
	like $p->err, qr/^err$/m, 'Podman: stderr';
	chomp(my $kernel = slurp('/proc/sys/kernel/osrelease'));
	unlike $p->out, qr/^\Q$kernel\E$/m, 'Podman: in a kernel of its own';
	$p = run([@runq, 'run', '--rm', '-i', @net, $image, 'cat'],
	    stdin => "in and out\n");
	is $p->out, "in and out\n", 'Podman: stdin';
	my $made = run([@runq, 'run', '-d', '--name', 'box', @net, $image,
		'sleep', '100000']);
	diag $made->err if $made->code ne '0';
	$p = run([@runq, 'exec', '-e', 'A=b', '-u', 'app', '-w', '/data', 'box',
		'sh', '-c', 'echo $A; id -u; pwd; echo err >&2; exit 42']);
	is $p->code, 42, 'Podman: exec: the exit status' or diag $p->err;
	is $p->out, "b\n1000\n/data\n", 'Podman: exec: stdout';
	like $p->err, qr/^err$/m, 'Podman: exec: stderr';
	$p = run([@runq, 'exec', '-i', 'box', 'cat'], stdin => "in and out\n");
	is $p->out, "in and out\n", 'Podman: exec: stdin';
	$p = start([@runq, 'exec', '-it', 'box', 'sh', '-c', 'tty; stty size'],
	    pty => [31, 91]);
	$p->finish(90);
	like $p->out, qr{/dev/pts/0\r\n31 91}, 'Podman: exec: -t';
	is run([@runq, 'pause', 'box'])->code, 0, 'Podman: pause';
	like run([@runq, 'inspect', '-f', '{{.State.Status}}', 'box'])->out,
	    qr/^paused$/, 'Podman: it says so';
	is run([@runq, 'unpause', 'box'])->code, 0, 'Podman: unpause';
	run([@store, 'rm', '-af', '-t', '0']);
	$why = works(@store, '--runtime', 'runc', 'run', '--rm', @limits, $image, 'true');
	skip "Podman: no bridge network here: $why", 1 if $why;
	$p = run([@runq, 'run', '--rm', @limits, $image, 'sh', '-c',
		'ip route | grep default']);
	like $p->out, qr/default via/, 'Podman: its network' or diag $p->err;
}
run(['podman', '--root', "$dir/podman", '--runroot', "$dir/podman-run", 'rm',
	'-af']) if find_program('podman');

# ---- containerd ----
SKIP: {
	skip 'containerd: ctr is not installed', 4 if !find_program('ctr');
	my ($socket) = grep { -S } '/run/containerd/containerd.sock',
	    '/var/run/docker/containerd/containerd.sock';
	skip 'containerd: no socket', 4 if !$socket;
	my @ctr = ('ctr', '--address', $socket, '--namespace', $PREFIX);
	my $import = run(['sh', '-c', 'docker save "$0" | "$@"', TEST_IMAGE . ':latest',
		@ctr, 'images', 'import', '-']);
	skip 'containerd: cannot import an image: ' . $import->err, 4
	    if $import->code ne '0';
	my ($image) = run([@ctr, 'images', 'ls', '-q'])->out =~ /^(\S+)$/m;
	my $why = works(@ctr, 'run', '--rm', $image, "$PREFIX-runc", 'true');
	skip "containerd: does not run runc here: $why", 4 if $why;
	# ctr has no runtime options: a file of one line gives them
	my $wrapper = spew("$dir/runq", "#!/bin/sh\nexec $RUNQ @accel \"\$@\"\n");
	chmod 0755, $wrapper;
	my $p = run([@ctr, 'run', '--rm', '--runc-binary', $wrapper, $image,
		"$PREFIX-runq", 'sh', '-c', 'echo out; echo err >&2; exit 18']);
	is $p->code, 18, 'containerd: the exit status' or diag $p->err;
	is $p->out, "out\n", 'containerd: stdout';
	like $p->err, qr/^err$/m, 'containerd: stderr';
	$p = start([@ctr, 'run', '--rm', '-t', '--runc-binary', $wrapper, $image,
		"$PREFIX-tty", 'sh', '-c', 'tty; stty size'], pty => [22, 66]);
	$p->finish(90);
	like $p->out, qr{/dev/pts/0}, 'containerd: a terminal';
	run([@ctr, 'images', 'rm', $image]);
	run([@ctr, 'namespaces', 'rm', $PREFIX]);
}

# ---- crun as the delegate ----
SKIP: {
	my $crun = find_program('crun');
	skip 'crun: not installed', 2 if !$crun;
	register_runtime("$PREFIX-plain-crun", $crun);
	my $why = works('docker', 'run', '--rm', run_args("$PREFIX-plain-crun",
		"$PREFIX-c1"), TEST_IMAGE, 'true');
	if ($why) {
		my $p = docker('run', '--rm', run_args("$PREFIX-plain-crun",
			"$PREFIX-c2"), TEST_IMAGE, 'true');
		($why) = $p->err =~ /(cgroups.*|OCI runtime.*)/;
		skip "crun: does not run on this machine: $why", 2;
	}
	register_runtime("$PREFIX-crun", $RUNQ, '--runc', $crun, @accel);
	my $p = docker('run', '--rm', '-i', run_args("$PREFIX-crun", "$PREFIX-c3"),
	    TEST_IMAGE, 'sh', '-c', 'cat; echo err >&2; exit 12');
	is $p->code, 12, 'crun: the exit status' or diag $p->err;
	is $p->err, "err\n", 'crun: stderr';
}

done_testing();
