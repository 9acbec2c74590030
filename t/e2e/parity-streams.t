#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Parity: stdin, stdout, stderr, and terminals.
use strict;
use warnings;
use Digest::MD5;
use FindBin;
use lib "$FindBin::Bin/lib";
use E2E;
use E2E::Parity;

my $bytes = join '', map { chr } 0 .. 255;

# ---- pipes ----
case '-a stdout: stderr is in the logs alone',
    opts => ['-a', 'stdout'],
    cmd => ['sh', '-c', 'echo out; echo err >&2'], want => qr/out/;

case 'stdin: a line to cat', opts => ['-i'], cmd => ['cat'],
    how => { stdin => "x\n" }, want => qr/^x$/m;
case 'stdin: empty, at once at its end', opts => ['-i'],
    cmd => ['probe', 'count'], how => { stdin => '' }, want => qr/bytes 0 .*EOF/;
case 'stdin: without -i it is at its end', cmd => ['probe', 'count'],
    how => { stdin => "not for it\n" }, want => qr/bytes 0 .*EOF/;
case 'stdin: /dev/null', opts => ['-i'], cmd => ['probe', 'count'],
    want => qr/bytes 0 .*EOF/;
case 'stdin: all byte values, both ways', opts => ['-i'], cmd => ['cat'],
    how => { stdin => $bytes x 1000, sum => 1 },
    want => qr/\A--- out\n256000 bytes/;
case 'stdin: 20 MB counted and summed', opts => ['-i'], timeout => 240,
    cmd => ['probe', 'count'], how => { stdin => $bytes x 80_000 },
    want => qr/bytes 20480000/;
case 'stdin: 20 MB through cat', opts => ['-i', '--log-driver', 'none'],
    cmd => ['cat'], timeout => 240,
    how => { stdin => $bytes x 80_000, sum => 1 },
    want => qr/20480000 bytes/;
case 'stdin: no newline at the end', opts => ['-i'], cmd => ['cat'],
    how => { stdin => 'no newline' }, want => qr/no newline/;
case 'stdin: the command reads a part only', opts => ['-i'],
    cmd => ['head', '-c', '10'], how => { stdin => 'y' x 1_000_000 },
    want => qr/^y{10}-/m;
case 'stdin: one that nobody reads', opts => ['-i'], cmd => ['true'],
    how => { stdin => 'y' x 1_000_000 };
case 'stdin: line by line, answer by answer', do => sub {
	my ($c) = @_;
	my $p = $c->start(['-i'], ['sh', '-c',
		'while read -r a; do echo "got $a"; done; echo end'],
	    stdin => 'hold');
	my $seen = '';
	for my $word (qw(one two three)) {
		$p->send("$word\n");
		$seen .= ($p->expect(qr/got $word\n/, 90) // 'nothing') ;
	}
	$p->close_stdin;
	return $seen . $p->finish(60) . $p->out;
    }, want => qr/got three\n0.*end/s;
case 'stdout and stderr are separate',
    cmd => ['sh', '-c', 'echo out; echo err >&2; echo out2; echo err2 >&2'],
    want => qr/out\nout2\n--- err\nerr\nerr2/;
case 'stdout: all byte values', cmd => ['sh', '-c', 'probe write 1 70000; probe write 2 70000'],
    how => { sum => 1 };
case 'stdout: 100 MB and exit at once', opts => ['--log-driver', 'none'],
    cmd => ['probe', 'write', '1', '100000000', '7'], code => 7,
    how => { sum => 1 }, timeout => 300, want => qr/100000000 bytes/;
case 'stderr: 20 MB and exit at once', opts => ['--log-driver', 'none'],
    cmd => ['probe', 'write', '2', '20000000', '7'], code => 7,
    how => { sum => 1 }, timeout => 300, want => qr/20000000 bytes/;
case 'stdout and stderr: 10 MB each, at the same time',
    opts => ['--log-driver', 'none'], how => { sum => 1 }, timeout => 300,
    cmd => ['sh', '-c', 'probe write 1 10000000 & probe write 2 10000000; wait'],
    want => qr/10000000 bytes.*10000000 bytes/s;
case 'stdout: many small writes',
    cmd => ['sh', '-c', 'i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done'],
    want => qr/^1999$/m;
case 'stdout: no newline at the end', cmd => ['printf', 'no newline'],
    want => qr/no newline/;
case 'stdout: closed by the command, which goes on',
    cmd => ['sh', '-c', 'echo before; exec >&-; echo after >&2'],
    want => qr/before.*after/s;
case 'stdout: a child that has it when the entry point ends',
    cmd => ['sh', '-c', 'sleep 1000 & echo done'], want => qr/done/;
case 'stdout: the reader goes away', do => sub {
	my ($c) = @_;
	pipe my $r, my $w or die "pipe: $!";
	my $p = $c->start([], ['sh', '-c', 'while echo y; do :; done; exit 3'],
	    stdout => $w);
	close $w;
	read $r, my $some, 100;
	close $r;
	$p->signal('TERM');	# what a shell's pipeline may do
	$p->finish(60);
	docker('kill', $c->name);
	return length($some) . ' ' . $c->wait;
    }, want => qr/100 status 137/;
case 'logs: both streams, as they were written',
    do => sub {
	my ($c) = @_;
	$c->detach([], ['sh', '-c', 'echo a; echo b >&2; printf "c\0d\n"; printf e']);
	my $text = $c->wait;
	my $logs = docker('logs', $c->name);
	return "$text--- out\n" . $logs->out . "\n--- err\n" . $logs->err;
    }, want => qr/--- err\nb/;
case 'logs: 5 MB', do => sub {
	my ($c) = @_;
	$c->detach([], ['sh', '-c', 'i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo $i; done; head -c 5000000 /dev/zero | tr "\0" x']);
	return $c->wait . Digest::MD5::md5_hex(docker('logs', $c->name)->out);
    }, want => qr/status 0/;

# ---- attach ----
case 'attach: stdin and stdout of a detached container', do => sub {
	my ($c) = @_;
	my $name = $c->detach(['-i'], ['sh', '-c', 'echo ready; read -r a; echo "$a"; exit 5']);
	$c->logs_match(qr/ready/);
	my $p = start(['docker', 'attach', $name], stdin => 'hold');
	$p->send("over here\n");
	return $p->finish(60) . ' ' . $p->out;
    }, want => qr/5 over here/;
case 'attach: what is written while nobody is attached is in the logs',
    do => sub {
	my ($c) = @_;
	my $name = $c->detach(['-i'], ['sh', '-c', 'echo one; read -r a; echo two; read -r b; echo three']);
	$c->logs_match(qr/one/);
	my $p = start(['docker', 'attach', $name], stdin => 'hold');
	$p->send("x\n");
	$p->expect(qr/two/, 30) // die 'no two';
	$p->kill;
	my $q = start(['docker', 'attach', $name], stdin => 'hold');
	$q->send("y\n");
	return $q->finish(60) . $c->wait . docker('logs', $name)->out;
    }, want => qr/one\ntwo\nthree/;

# ---- terminals ----
case 'tty: what the process sees', do => sub {
	my ($c) = @_;
	my $p = $c->start(['-it'], ['sh', '-c', 'probe tty; tty; probe fds; probe proc'],
	    pty => [24, 80]);
	return $p->finish(90) . "\n" . $p->out;
    }, want => qr{/dev/pts/0\r\n};
case 'tty: -t alone', opts => ['-t'], cmd => ['sh', '-c', 'tty; probe tty; probe fds'],
    want => qr{/dev/pts/0\r\n};
case 'tty: line endings', opts => ['-t'], cmd => ['printf', 'a\nb\r\nc'],
    want => qr/a\r\nb\r\r\nc/;
case 'tty: stdout and stderr are one', opts => ['-t'],
    cmd => ['sh', '-c', 'echo out; echo err >&2'], want => qr/out\r\nerr\r\n/;
case 'tty: 1 MB of output', opts => ['-t'], how => { sum => 1 },
    cmd => ['sh', '-c', 'head -c 1000000 /dev/zero | tr "\0" "x"'],
    want => qr/1000000 bytes/;
case 'tty: the size follows the terminal', do => sub {
	my ($c) = @_;
	my $p = $c->start(['-it'], ['sh', '-c',
		'stty -echo; probe winsize 1000'], pty => [33, 77]);
	my $seen = $p->expect(qr/size 33 77/, 90) // 'nothing: ' . $p->out;
	follows_size($p) or return 'not followed: ' . $p->out;
	# from here on each one is said once
	for my $i (1 .. 12) {
		my $size = 40 + $i . ' ' . (100 + $i);
		$p->resize(split / /, $size);
		$seen .= ', ' .
		    ($p->expect(qr/size $size\b/, 20) // "no $size: " . $p->out);
	}
	# of several at once the last one counts
	$p->resize(60 + $_, 150 + $_) for 1 .. 8;
	return "$seen, " . ($p->expect(qr/size 68 158/, 20) // $p->out);
    }, want => qr/^size 33 77, size 41 101, .*size 52 112, size 68 158$/;
case 'tty: a resize while another SIGWINCH waits to be taken', do => sub {
	my ($c) = @_;
	my $name = $c->detach(['-t'], ['probe', 'winsize', '1000']);
	my $pid = container_pid($name);
	api('POST', "/containers/$name/resize?h=20&w=60");
	my $seen = $c->logs_match(qr/size 20 60/);
	# two signals of one kind are one: the first one's sender is told
	kill 'STOP', $pid;
	kill 'WINCH', $pid;
	api('POST', "/containers/$name/resize?h=21&w=61");
	kill 'CONT', $pid;
	return $seen . $c->logs_match(qr/size 21 61/, 20);
    }, want => qr/size 20 60size 21 61/;
case 'tty: a resize through the API', do => sub {
	my ($c) = @_;
	my $name = $c->detach(['-t'], ['probe', 'winsize', '1000']);
	my $seen = '';
	for my $size ('41x101', '7x300') {
		my ($h, $w) = split /x/, $size;
		eventually(60, sub { inspect($name)->{State}{Running} });
		api('POST', "/containers/$name/resize?h=$h&w=$w");
		$seen .= $c->logs_match(qr/size $h $w/);
	}
	return $seen;
    }, want => qr/size 41 101size 7 300/;
case 'tty: echo, line editing and end of file', do => sub {
	my ($c) = @_;
	my $p = $c->start(['-it'], ['cat'], pty => [24, 80]);
	$p->send("abX\x7fc\n");
	my $seen = $p->expect(qr/abc\r\n/, 90) // 'nothing: ' . $p->out;
	$p->send("\x04");
	return "$seen " . $p->finish(60);
    }, want => qr/abc\r\n 0/;
case 'tty: ctrl-C is SIGINT', do => sub {
	my ($c) = @_;
	my $p = $c->start(['-it'], ['sh', '-c',
		'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 1; done'],
	    pty => [24, 80]);
	$p->expect(qr/ready/, 90) // die 'not ready: ' . $p->out;
	$p->send("\x03");
	return $p->finish(60) . $p->out;
    }, want => qr/9.*caught/s;
case 'tty: a shell with job control', do => sub {
	my ($c) = @_;
	my $p = $c->start(['-it'], ['sh'], pty => [24, 80]);
	$p->expect(qr/# /, 90) // die 'no prompt';
	$p->send("sh -c 'echo sta''rted; exec sleep 1000'\n");
	$p->expect(qr/started/, 30) // die 'not started: ' . $p->out;
	$p->send("\x1a");
	my $seen = $p->expect(qr/Stopped/, 30) // 'not stopped: ' . $p->out;
	$p->send("kill -9 %1; echo st''ill here\nexit 6\nexit 6\n");
	$p->expect(qr/still here/, 30) // die 'no shell: ' . $p->out;
	return $seen . $p->finish(60);
    }, want => qr/Stopped6/;
case 'tty: detach keys, then attach again', do => sub {
	my ($c) = @_;
	my $p = $c->start(['-it'], ['cat'], pty => [24, 80]);
	$p->send("one\n");
	$p->expect(qr/one\r\none\r\n/, 90) // die 'no echo: ' . $p->out;
	$p->send("\x10\x11");
	my $seen = 'detached ' . $p->finish(30) . ' running ' .
	    (inspect($c->name)->{State}{Running} ? 'yes' : 'no');
	my $q = start(['docker', 'attach', $c->name], pty => [24, 80]);
	$q->send("two\n");
	$q->expect(qr/two\r\ntwo\r\n/, 30) // die 'no echo: ' . $q->out;
	$q->send("\x04");
	return "$seen then " . $q->finish(60);
    }, want => qr/detached 0 running yes then 0/;
case 'tty: --detach-keys', do => sub {
	my ($c) = @_;
	my $name = $c->detach(['-it'], ['cat']);
	my $p = start(['docker', 'attach', '--detach-keys', 'ctrl-x,x', $name],
	    pty => [24, 80]);
	$p->send("\x18y\n");
	$p->expect(qr/y/, 60) // die 'no echo';
	$p->send("\x18x");
	return $p->finish(30) . ' ' . (inspect($name)->{State}{Running} ? 'runs' : 'ended');
    }, want => qr/ runs/;
case 'tty: the client goes away, the container stays', do => sub {
	my ($c) = @_;
	my $p = $c->start(['-it'], ['sh', '-c', 'echo ready; read -r a; echo "$a"; exit 8'],
	    pty => [24, 80]);
	$p->expect(qr/ready/, 90) // die 'not ready';
	$p->kill;
	my $q = start(['docker', 'attach', $c->name], pty => [24, 80]);
	$q->send("again\n");
	return $q->finish(60) . $c->wait;
    }, want => qr/8status 8/;

run_cases();
