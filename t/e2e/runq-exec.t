#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# runq-exec: streams, terminal, signals, exit codes, names, certificates, users.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::MD5 'md5_hex';
use IO::Socket::UNIX;
use Test::More;
use POSIX ();
use E2E;

need_runq();
my $home = $E2E::HOME;
my $program = "$home/runq-exec";
plan skip_all => "$program is not installed" if !-x $program;
plan skip_all => "no certificates in $home: run $home/image/mkcerts"
    if !-e "$home/key.pem";

my $dir = tempdir();
my $name = "$PREFIX-box";
my $id = docker_ok('run', '-d', run_args($RUNTIME, $name), '-e', 'FROM=image',
    '-u', '1000:1001', '-w', '/var', TEST_IMAGE, 'sleep', '100000');

# rx(args) or rx([args], %how)
sub rx {
	my ($argv, %how) = ref $_[0] ? @_ : [@_];

	return run([$program, @$argv], timeout => 90, %how);
}

sub rx_start {
	my ($argv, %how) = @_;

	return start([$program, @$argv], %how);
}

sub fails {
	my ($proc, $sentence, $what) = @_;

	is $proc->code, 255, "$what: 255";
	like $proc->err, $sentence, "$what: says so";
	is $proc->err =~ tr/\n//, 1, "$what: in one line";
}

# ---- streams, codes ----------------------------------------------------------
{
	my $p = rx($name, 'sh', '-c', 'echo out; echo err >&2; exit 7');
	is $p->code, 7, 'the exit code is the command\'s, while the VM boots too';
	is $p->out, "out\n", 'stdout';
	is $p->err, "err\n", 'stderr is separate';

	my $bytes = join('', map { chr } 0 .. 255) x 5000;
	$p = rx(['-i', $name, 'cat'], stdin => $bytes, sum => 1);
	is $p->md5, md5_hex($bytes), 'stdin and stdout are 8-bit clean';
	is $p->bytes, length $bytes, 'to their ends';
	is rx(['-i', $name, 'wc', '-c'], stdin => 'x' x 1_000_000)->out,
	    "1000000\n", 'stdin ends';
	is rx([$name, 'wc', '-c'], stdin => 'hold')->out, "0\n",
	    'without -i stdin is at its end at once';
	is rx([$name, 'sh', '-c', 'dd if=/dev/zero bs=1M count=20 2>/dev/null'],
	    sum => 1)->bytes, 20 << 20, '20 MiB and exit at once';
	is rx($name, 'sh', '-c', 'kill -9 $$')->code, 137, '128 + signal';
	is rx($name, 'sh', '-c', 'exit 255')->code, 255, '255 of the command';
	$p = rx($name, 'no-such-command');
	is $p->code, 127, 'not found: 127';
	like $p->err, qr/^runq-exec: .*no-such-command.*not found/, 'says so';
	is rx($name, '/etc/passwd')->code, 126, 'not executable: 126';
}

# ---- the process is the container's ------------------------------------------
{
	my $p = rx('-e', 'A=b c', '-e', 'FROM=me', '-e', 'HERE', $name, 'env');
	like $p->out, qr/^A=b c$/m, '-e NAME=VALUE';
	like $p->out, qr/^FROM=me$/m, '-e in the place of the container\'s';
	unlike $p->out, qr/HERE/, '-e NAME that is not set';
	is rx([qw(-e HERE), $name, 'sh', '-c', 'echo $HERE'],
	    env => { HERE => 'x y' })->out, "x y\n", '-e NAME of our environment';
	is rx($name, 'sh', '-c', 'echo $FROM')->out, "image\n",
	    'the container\'s environment';
	is rx($name, 'id', '-u')->out, "1000\n", 'its user';
	is rx($name, 'id', '-g')->out, "1001\n", 'its group';
	is rx($name, 'pwd')->out, "/var\n", 'its working directory';
	is rx($name, 'cat', '/proc/1/comm')->out, "sleep\n",
	    'its process namespace';
	is rx($name, 'grep', 'Seccomp:', '/proc/self/status')->out,
	    docker_ok('exec', $name, 'grep', 'Seccomp:', '/proc/self/status') .
	    "\n", 'its seccomp filter';
	is rx($name, 'grep', 'CapBnd', '/proc/self/status')->out,
	    docker_ok('exec', $name, 'grep', 'CapBnd', '/proc/self/status') .
	    "\n", 'its capabilities';
}

# ---- signals, terminal -------------------------------------------------------
{
	my $p = rx_start([$name, 'sh', '-c',
		'trap "echo got it; exit 9" TERM; echo ready; while :; do sleep 0.1; done']);
	ok defined $p->expect(qr/ready/, 60), 'a command runs';
	$p->signal('TERM');
	is $p->finish(60), 9, 'SIGTERM without -t goes to the command';
	like $p->out, qr/got it/, 'which handles it';
	for my $signal (qw(INT HUP QUIT)) {
		$p = rx_start([$name, 'sh', '-c', "trap 'exit 8' $signal; echo ready; " .
			'while :; do sleep 0.1; done']);
		$p->expect(qr/ready/, 60);
		$p->signal($signal);
		is $p->finish(60), 8, "SIG$signal, too";
	}
}
{
	my $p = rx_start(['-ti', $name, 'sh', '-c',
		'tty; stty size; trap "stty size" WINCH; trap "echo [INT]" INT; ' .
		'trap "echo [QUIT]" QUIT; trap "echo [TSTP]" TSTP; echo ready; ' .
		'while :; do sleep 0.1; done'], pty => [31, 97]);
	ok defined $p->expect(qr/ready/, 60), '-t: a command runs';
	like $p->out, qr{^/dev/pts/\d+\r?$}m, 'on a terminal';
	like $p->out, qr/^31 97\r?$/m, 'with the size of ours';
	$p->resize(40, 120);
	ok defined $p->expect(qr/40 120/, 60), 'which follows';
	for ([INT => "\cC"], [TSTP => "\cZ"], [QUIT => "\c\\"]) {
		my ($signal, $key) = @$_;

		$p->send($key);
		ok defined $p->expect(qr/\[$signal\]/, 60),
		    "SIG$signal by its key";
	}
	$p->signal('TERM');
	is $p->finish(60), 143, 'SIGTERM ends us';
}

# The terminal's settings before and after, as a shell around runq-exec sees
# them.
sub restored {
	my ($what, $command, $do) = @_;
	my $p = start(['sh', '-c', 'a=$(stty -g); trap : INT; ' . $command .
		'; echo "code $?"; [ "$a" = "$(stty -g)" ] && echo same || echo other'],
	    pty => [24, 80], env => { P => $program, N => $name });

	$do->($p) if $do;
	$p->finish(60);
	like $p->out, qr/same\r?\n?$/, "the terminal is restored: $what";
	return $p;
}
restored('the command ends', '"$P" -ti "$N" true');
restored('the command fails', '"$P" -ti "$N" no-such-command');
restored('no such container', '"$P" -ti no-such-container true');
for my $signal (qw(TERM HUP INT QUIT)) {
	restored("SIG$signal", q{"$P" -ti "$N" sh -c 'echo ready; sleep 1000'},
	    sub {
		my ($p) = @_;
		$p->expect(qr/ready/, 60);
		my ($child) = grep { $_ } split ' ', qx(pgrep -P $p->{pid});
		kill $signal, $child;
	    });
}

# ---- which container ---------------------------------------------------------
is rx($id, 'true')->code, 0, 'by id';
is rx(substr($id, 0, 7), 'true')->code, 0, 'by short id';
fails(rx("$PREFIX-none", 'true'), qr/no such container: \Q$PREFIX\E-none/,
    'no such container');
fails(rx('../info', 'true'), qr/no container's name or id/, 'a bad name');
is rx([$name, 'true'], env => { DOCKER_HOST => 'unix:///var/run/docker.sock' })
    ->code, 0, 'DOCKER_HOST=unix://';
{
	my $tcp = start(['socat', '-d', '-d', 'TCP-LISTEN:0,bind=127.0.0.1,fork',
		'UNIX-CONNECT:/var/run/docker.sock'], stdin => 'hold');
	my ($port) = ($tcp->expect(qr/listening on .*:\d+/, 20, 'err') // '')
	    =~ /:(\d+)$/;

	is rx([$name, 'true'], env => { DOCKER_HOST => "tcp://127.0.0.1:$port" })
	    ->code, 0, 'DOCKER_HOST=tcp://';
	$tcp->kill;
}
fails(rx([$name, 'true'], env => { DOCKER_HOST => 'ssh://host' }),
    qr{"ssh://host" \(allowed: unix:///PATH or tcp://HOST:PORT\)},
    'DOCKER_HOST=ssh://');
fails(rx([$name, 'true'], env => { DOCKER_HOST => 'unix:///no/docker.sock' }),
    qr{/no/docker.sock: No such file}, 'no Docker there');
{
	my $other = "$PREFIX-runc";

	docker_ok('run', '-d', run_args($REFERENCE, $other), TEST_IMAGE, 'sleep',
	    '1000');
	fails(rx($other, 'true'), qr/\Q$other\E is not a runq container/,
	    'a container of runc');
	docker_ok('stop', '-t', 0, $other);
	fails(rx($other, 'true'), qr/\Q$other\E is not running \(exited\)/,
	    'a container that has ended');
	docker_ok('run', '-d', run_args($RUNTIME, "$PREFIX-noexec"), '-e',
	    'RUNQ_NOEXEC=1', TEST_IMAGE, 'sleep', '1000');
	fails(rx("$PREFIX-noexec", 'true'),
	    qr/does not allow runq-exec: it has RUNQ_NOEXEC/, 'RUNQ_NOEXEC');
	is docker('exec', "$PREFIX-noexec", 'true')->code, 0,
	    'RUNQ_NOEXEC leaves docker exec alone';
	docker('rm', '-f', "$PREFIX-noexec");
}
is rx('-h')->code, 0, '-h';
like rx('--help')->out, qr/--tlscert.*--interactive/s, '--help';
like rx('-v')->out, qr/^runq-exec version \S+\n$/, '-v';
fails(rx('-x', $name, 'true'), qr/unknown option -x/, 'a bad option');
fails(rx(['-ti', $name, 'true']), qr/stdin is not a terminal/,
    '-ti without a terminal');

# A session with a client's certificate of the right authority and these dates.
sub dated {
	my ($what, $from, $to) = @_;
	my $at = "$dir/$what";

	mkdir $at or die "$at: $!";
	spew("$at/index", '');
	spew("$at/ca.cnf", <<"EOF");
[ca]
default_ca = own
[own]
database = $at/index
new_certs_dir = $at
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = client
[any]
commonName = supplied
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
EOF
	run(['openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt',
		'ec_paramgen_curve:P-256', '-nodes', '-keyout', "$at/key.pem",
		'-subj', "/CN=$what", '-out', "$at/request"]);
	my $p = run(['openssl', 'ca', '-batch', '-config', "$at/ca.cnf",
		'-cert', "$home/certs/ca.pem", '-keyfile',
		"$home/certs/ca-key.pem", '-startdate', $from, '-enddate',
		$to, '-notext', '-in', "$at/request", '-out',
		"$at/cert.pem"]);
	die $p->err if $p->code ne '0';
	return rx('-c', "$at/cert.pem", '-k', "$at/key.pem", $name, 'true');
}

# ---- certificates, users -----------------------------------------------------
fails(rx('-c', "$home/certs/cert.pem", '-k', "$home/certs/key.pem", $name,
	'true'), qr/is not a client's/, 'the server\'s certificate');
fails(rx('-c', "$dir/none.pem", $name, 'true'), qr/none.pem: No such file/,
    'no certificate');
run(["$home/image/mkcerts", '--dir', "$dir/foreign"]);
fails(rx('-c', "$dir/foreign/cert.pem", '-k', "$dir/foreign/key.pem", $name,
	'true'), qr/is foreign/, 'a foreign certificate');
fails(rx('-c', "$dir/foreign/cert.pem", '-k', "$dir/foreign/key.pem",
	'--tlscacert', "$dir/foreign/ca.pem", $name, 'true'),
    qr/supervisor shows is foreign/, 'a foreign authority');
fails(dated('expired', '20200101000000Z', '20200201000000Z'),
    qr/has expired \(it ended at/, 'an expired certificate');
fails(dated('early', '20900101000000Z', '20900201000000Z'),
    qr/is not valid yet/, 'a certificate of the future');
my ($group) = qx(getent group docker) =~ /^docker:[^:]*:(\d+):/;
SKIP: {
	skip 'no group docker', 6 if !defined $group;
	my @as = ('setpriv', '--reuid', 65534, '--clear-groups', '--regid');
	my $p = run([@as, $group, $program, $name, 'echo', 'hello']);

	is $p->out, "hello\n", 'a user of group docker needs no root';
	is $p->code, 0, 'code 0';
	$p = run(['setpriv', '--reuid', 65534, '--regid', 65534, '--groups',
		$group, $program, $name, 'id', '-u']);
	is $p->out, "1000\n", 'nor one for whom it is a further group' or
	    diag $p->err;
	fails(run([@as, 65534, $program, $name, 'true']),
	    qr{key.pem: Permission denied}, 'a user who is not');
}

# ---- many, strangers ---------------------------------------------------------
{
	my %sum;
	my @many = map {
		my $data = md5_hex("session $_") x 40_000;

		$sum{$_} = md5_hex($data);
		rx_start(['-i', $name, 'cat'], stdin => $data, sum => 1,
		    pause => $_ == 0);
	} 0 .. 19;
	my $good = grep { $many[$_]->finish(200) eq '0' &&
	    $many[$_]->md5 eq $sum{$_} } 1 .. 19;

	is $good, 19, '20 sessions at once, one of which does not read';
	$many[0]->resume;
	is $many[0]->finish(60), 0, 'that one goes on when it does';
	is $many[0]->md5, $sum{0}, 'and nothing is lost';
}
{
	my $pid = fork // die "fork: $!";

	if ($pid == 0) {
		my @open;

		for my $i (1 .. 3000) {
			my $s = IO::Socket::UNIX->new(Type => SOCK_STREAM,
			    Peer => "\0runq-exec/$id") or next;
			syswrite $s, "\x16\x03\x01\x00\xff\x01" if $i % 3 == 0;
			syswrite $s, "garbage\n" if $i % 3 == 1;
			push @open, $s;
			shift @open if @open > 400;
		}
		POSIX::_exit(0);
	}
	my ($tries, $good) = (0, 0);
	until ($tries >= 5 && waitpid($pid, POSIX::WNOHANG()) != 0) {
		$tries++;
		$good++ if rx($name, 'true')->code eq '0';
	}
	is $good, $tries, 'strangers in masses do not keep us out';
	my $supervisor = container_pid($name);
	ok eventually(30, sub {
		my @fds = grep { (readlink // '') =~ /^socket:/ }
		    glob "/proc/$supervisor/fd/*";
		return @fds <= 12;
	    }), 'and leave nothing';
}

# ---- the end -----------------------------------------------------------------
{
	my $p = rx_start([$name, 'sh', '-c', 'echo ready; sleep 1000']);

	$p->expect(qr/ready/, 60);
	is docker_ok('logs', $name), '', 'the container\'s log has nothing of it';
	docker_ok('kill', $name);
	is $p->finish(60), 137, 'the container ends: 137';
	like $p->err, qr/the container has ended/, 'says so';
	docker_ok('rm', $name);
	is_deeply [leftovers($id)], [], 'nothing is left';
}
done_testing();
