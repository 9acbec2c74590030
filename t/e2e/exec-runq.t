#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# exec where there is nothing to compare it with: the relay, the end of the
# VM, the command line of runq itself, Podman.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

need_runq();

my $dir = tempdir();
my @accel = $RUNTIME eq 'runq' ? () : ('--accel', 'tcg');
my $number = 0;

sub box {
	my ($runtime, @opts) = @_;
	my $name = "$PREFIX-" . ++$number;

	docker_ok('run', '-d', run_args($runtime, $name), @opts, TEST_IMAGE,
	    'sleep', '100000');
	return $name;
}

# Ids of the processes of that name in the container.
sub pids {
	my ($box, $comm) = @_;
	my $all = container_pids($box);

	return grep { $all->{$_} eq $comm } sort keys %$all;
}

sub fds {
	my ($pid) = @_;

	return scalar(() = glob "/proc/$pid/fd/*");
}

sub says {
	my ($box, $file, $re) = @_;

	return eventually(60, sub {
		docker('exec', $box, 'cat', $file)->out =~ $re });
}

# ---- the relay ----
my $box = box($RUNTIME);
is docker('exec', $box, 'true')->code, 0, 'exec works';
my ($caps) = docker('exec', '--privileged', $box, 'grep', 'CapEff',
    '/proc/self/status')->out =~ /CapEff:\s([0-9a-f]+)/;
is hex(substr($caps // '0', -8)) >> 21 & 1, 1, '--privileged: CAP_SYS_ADMIN' or diag $caps;
my $supervisor = container_pid($box);
my $before = fds($supervisor);

my $p = start(['docker', 'exec', '-i', $box, 'sh', '-c',
	'trap "echo caught" USR1; echo ready; while :; do sleep 0.1; done']);
$p->expect(qr/ready/, 90);
my ($relay) = pids($box, 'relay');
ok $relay, 'a relay is in the container';
my $status = slurp("/proc/$relay/status") // '';
like $status, qr/^CapEff:\s0{16}$/m, 'it has no capabilities';
like $status, qr/^CapBnd:\s0{16}$/m, 'and can get none';
like $status, qr/^NoNewPrivs:\s1$/m, 'nor by programs that it starts';
my @files = map { readlink } glob "/proc/$relay/fd/*";
is scalar(grep { /memfd/ } @files), 0, 'it has given the process away';
kill 'USR1', $relay;
is $p->expect(qr/caught/, 60), 'caught', 'its signals reach the guest';
kill 'TERM', $relay;
is $p->finish(60), 143, 'and end the process there';

# Killed from outside, the relay ends as any process of an exec would: see
# exec.t for how that is with runc.
$p = start(['docker', 'exec', '-i', $box, 'sh', '-c',
	'echo ready; cat >/dev/null; echo end >/tmp/end'], stdin => 'hold');
$p->expect(qr/ready/, 90);
($relay) = pids($box, 'relay');
kill 'KILL', $relay;
is $p->finish(60), 137, 'it is killed: docker exec ends with 137';
ok says($box, '/tmp/end', qr/end/), 'and the process sees the end of stdin';

$p = start(['docker', 'exec', '-it', $box, 'sh', '-c',
	'trap "echo hup >/tmp/hup; exit" HUP; echo ready; while :; do sleep 1; done'],
    pty => [24, 80]);
$p->expect(qr/ready/, 90);
($relay) = pids($box, 'relay');
kill 'KILL', $relay;
is $p->finish(60), 137, 'the same with a terminal: 137';
ok says($box, '/tmp/hup', qr/hup/), 'with a terminal the process gets SIGHUP';

$p = start(['docker', 'exec', $box, 'sh', '-c',
	'trap "" PIPE; echo ready; while echo y; do :; done; echo gone >/tmp/gone']);
$p->expect(qr/ready/, 90);
($relay) = pids($box, 'relay');
kill 'KILL', $relay;
is $p->finish(60), 137, 'the same while it writes: 137';
ok says($box, '/tmp/gone', qr/gone/),
    'one that writes finds that nobody reads';

ok eventually(30, sub { fds($supervisor) == $before }),
    'no descriptor is left in the supervisor' or
    diag "$before before, " . fds($supervisor) . ' after';
is scalar(pids($box, 'relay')), 0, 'no relay is left';
is docker('exec', $box, 'sh', '-c', 'ps -o args | grep -c "[s]leep 100000"')->out,
    "1\n", 'no process is left in the guest' or
    diag docker('exec', $box, 'ps')->out;

# ---- the end of the VM ----
my @running = map { start(['docker', 'exec', $_, $box, 'sh', '-c',
	'echo ready; exec sleep 100000'], $_ eq '-t' ? (pty => [24, 80]) : ())
    } '-i', '-t';
$_->expect(qr/ready/, 90) for @running;
kill 'KILL', pids($box, 'qemu-system-x86'), pids($box, 'qemu-system-s39');
is $_->finish(20), 137, 'QEMU is killed: exec ends at once'
    for @running;
ok eventually(30, sub { !inspect($box)->{State}{Running} }),
    'and the container does';

# ---- runq's command line ----
my $id = docker_ok('inspect', '-f', '{{.Id}}', $box = box($RUNTIME));
my ($root) = grep { -d "$_/$id" } glob '/run/docker/runtime-*/moby';
SKIP: {
	skip 'no state directory of dockerd\'s runtimes found', 12 if !$root;
	my @runq = ($RUNQ, @accel, '--root', $root);
	$p = run([@runq, 'exec', $id, 'sh', '-c',
		'echo out; echo err >&2; exit 42']);
	is $p->code, 42, 'runq exec ID: the exit code';
	is $p->out, "out\n", 'stdout';
	is $p->err, "err\n", 'stderr';
	$p = run([@runq, 'exec', '-e', 'A=b c', '-u', '1000:44', '-g', '29',
		'--cwd', '/data', '--cap', 'CAP_NET_ADMIN', '--no-new-privs',
		$id, 'sh', '-c', 'echo "$A"; probe ids; probe caps']);
	like $p->out, qr{\Ab c\n.*^Uid:\s1000\s.*^Gid:\s44\s.*^groups:.* 29\n.*^cwd: /data$}ms,
	    '-e, -u, -g, --cwd' or diag $p->err;
	like $p->out, qr/^CapBnd:\s00000000a80435fb\n.*^NoNewPrivs:\s1\n/ms,
	    '--cap, --no-new-privs' or diag $p->out;
	$p = start([@runq, 'exec', '-t', $id, 'sh', '-c',
		'tty; probe winsize 1000'], pty => [30, 90]);
	ok $p->expect(qr{^/dev/pts/0\r+\n}, 60), '-t: a terminal' or
	    diag $p->out;
	ok $p->expect(qr/size 30 90/, 60), 'of the size of ours' or
	    diag $p->out;
	$p->resize(40, 100);
	$p->signal('WINCH');
	ok $p->expect(qr/size 40 100/, 60), 'and its size follows' or
	    diag $p->out;
	$p->kill;
	$p = run([@runq, 'exec', 'nowhere', 'true']);
	is $p->code, 1, 'no such container: exit code 1';
	like $p->err, qr/does not exist/, 'and the delegate\'s sentence';
	$p = run([@runq, 'exec', '--pid-file', "$dir/pid", '--detach', $id,
		'touch', '/tmp/detached']);
	is $p->code . slurp("$dir/pid"), '0' . (slurp("$dir/pid") + 0),
	    '--detach and --pid-file';
	ok eventually(60, sub { docker('exec', $box, 'ls',
		'/tmp/detached')->code eq '0' }), 'and it runs';
}
SKIP: {
	my $plain = docker_ok('inspect', '-f', '{{.Id}}', box($REFERENCE));
	my ($at) = grep { -d "$_/$plain" } glob '/run/docker/runtime-*/moby';
	skip 'no state directory of dockerd\'s runtimes found', 1 if !$at;
	is run([$RUNQ, '--root', $at, 'exec', $plain, 'echo', 'plain'])->out,
	    "plain\n", 'a container of another runtime is left to it';
}

# ---- switched off ----
register_runtime("$PREFIX-off", $RUNQ, @accel, '--noexec-all');
$p = docker('exec', box("$PREFIX-off"), 'true');
isnt $p->code, 0, '--noexec-all: docker exec is refused';
like $p->out . $p->err, qr/switched off by the administrator/,
    'with a sentence';
register_runtime("$PREFIX-noexec", $RUNQ, @accel, '--noexec');
is docker('exec', box("$PREFIX-noexec"), 'true')->code, 0,
    '--noexec is about runq-exec, not about docker exec';

# ---- Podman ----
SKIP: {
	skip 'Podman: not installed', 5 if !find_program('podman');
	my @store = ('podman', '--root', "$dir/podman", '--runroot',
	    "$dir/podman-run", '--cgroup-manager', 'cgroupfs',
	    '--events-backend', 'none', '--storage-driver', 'vfs');
	my $source = "$PREFIX-source";
	docker_ok('create', run_args($REFERENCE, $source), TEST_IMAGE);
	my $load = run(['sh', '-c', 'docker export "$0" | "$@"', $source, @store,
		'import', '-c', 'ENV PATH=/bin:/usr/bin', '-', 'box-image']);
	skip 'Podman: cannot import an image here: ' . $load->err, 5
	    if $load->code ne '0';
	my $image = 'localhost/box-image';
	# the defaults may be above what this machine allows
	my @plain = ('--network', 'none', '--ulimit', 'nofile=1000:1000',
	    '--ulimit', 'nproc=1000:1000');
	my $try = run([@store, '--runtime', 'runc', 'run', '--rm', @plain,
		$image, 'true'], timeout => 60);
	skip 'Podman: does not run runc here: ' . $try->err, 5
	    if $try->code ne '0';
	my @runq = (@store, '--runtime', $RUNQ,
	    @accel ? ('--runtime-flag', 'accel=tcg') : ());
	my $made = run([@runq, 'run', '-d', '--name', 'box', @plain, $image,
		'sleep', '100000']);
	diag $made->err if $made->code ne '0';
	$p = run([@runq, 'exec', '-e', 'A=b', '-u', 'app', '-w', '/data', 'box',
		'sh', '-c', 'echo $A; id -u; pwd; echo err >&2; exit 42']);
	is $p->code, 42, 'Podman: the exit status' or diag $p->err;
	is $p->out, "b\n1000\n/data\n", 'Podman: stdout';
	like $p->err, qr/^err$/m, 'Podman: stderr';
	$p = run([@runq, 'exec', '-i', 'box', 'cat'], stdin => "in and out\n");
	is $p->out, "in and out\n", 'Podman: stdin';
	$p = start([@runq, 'exec', '-it', 'box', 'sh', '-c', 'tty; stty size'],
	    pty => [31, 91]);
	$p->finish(90);
	like $p->out, qr{/dev/pts/0\r\n31 91}, 'Podman: -t';
	run([@store, 'rm', '-af', '-t', '0']);
}

done_testing;
