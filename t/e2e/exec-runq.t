#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# exec where there is nothing to compare it with: the relay, the end of the
# VM, the command line of runq itself. Podman's exec is in engines.t.
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

# ---- before the container runs ----
# An engine executes when runc has said that the container was started; the
# supervisor may not have come far by then, at worst it is not there at all.
{
	my ($bundle, $name) = ("$dir/bundle", "$PREFIX-early");
	my @runq = ($RUNQ, @accel, '--root', "$dir/state");
	docker_ok('create', run_args($REFERENCE, "$PREFIX-source"), TEST_IMAGE);
	my $made = run(['sh', '-ec', 'mkdir -p "$1/rootfs"; cd "$1"
	    docker export "$2" | tar -C rootfs -xf -
	    runc spec
	    sed -i \'s/"terminal": true/"terminal": false/; s/"sh"/"cat"/\' config.json
	    shift 2
	    exec "$@" >log 2>&1', 'sh', $bundle, "$PREFIX-source", @runq,
		'create', '--bundle', $bundle, $name], stdin => 'hold');
	is $made->code, 0, 'a container that was created, and not started' or
	    diag $made->err, slurp("$bundle/log");
	$p = start([@runq, 'exec', $name, 'echo', 'early']);
	my ($init) = run([@runq, 'state', $name])->out =~ /"pid": (\d+)/;
	my $ns = readlink "/proc/$init/ns/pid";
	ok eventually(30, sub {
		grep { (slurp("$_/comm") // '') eq "relay\n" &&
		    (readlink("$_/ns/pid") // '') eq $ns }
		    glob '/proc/[0-9]*';
	    }), 'a relay is there before the supervisor';
	is run([@runq, 'start', $name])->code, 0, 'then it is started';
	is $p->finish(90), 0, 'and the session begins' or diag $p->err;
	is $p->out, "early\n", 'as if it had come later';
	run([@runq, 'delete', '-f', $name]);
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

done_testing;
