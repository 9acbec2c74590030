#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Back-pressure with bounded memory, exact bytes, and runq used directly by a
# bundle, without an engine.
use strict;
use warnings;
use Digest::MD5;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use E2E;

need_runq();

# What `probe write 1 N` writes: see t/e2e/probe/act.c.
sub pattern_md5 {
	my ($bytes) = @_;
	my $tail = join '', map { chr($_ & 255) } 8 .. 65535;
	my $sum = Digest::MD5->new;

	for (my $i = 0; $bytes > 0; $i++, $bytes -= 65536) {
		my $block = pack('Q>', $i) . $tail;
		$sum->add($bytes < 65536 ? substr $block, 0, $bytes : $block);
	}
	return $sum->hexdigest;
}

sub rss_kib {
	my ($pid) = @_;

	return (slurp("/proc/$pid/status") // '') =~ /VmRSS:\s+(\d+)/ ? $1 : 0;
}

# ---- the reader stops ----
{
	my $name = "$PREFIX-slow";
	my $bytes = 100_000_000;
	my $p = start(['docker', 'run', '--log-driver', 'none',
		run_args($RUNTIME, $name), TEST_IMAGE, 'probe', 'write', '1',
		$bytes, '5'], pause => 1, sum => 1);
	ok eventually(90, sub { container_pid($name) }), 'slow reader: it runs';
	my $pid = container_pid($name);

	# the pipes between here and the process fill up, then it must wait
	my ($still, $last) = (0, -1);
	ok eventually(90, sub {
		my ($io) = (slurp("/proc/$pid/io") // '') =~ /wchar: (\d+)/;
		$still = ($io // 0) > 100_000 && $io == $last ? $still + 1 : 0;
		$last = $io // 0;
		return $still >= 40;
	}), 'slow reader: the writer waits';
	ok !defined $p->{status}, 'slow reader: the client waits too';
	my $rss = rss_kib($pid);
	cmp_ok $rss, '<', 32 * 1024, "slow reader: the supervisor holds $rss KiB";
	is inspect($name)->{State}{Status}, 'running', 'slow reader: still running';
	$p->resume;
	is $p->finish(240), 5, 'the reader goes on: the exit status';
	is $p->bytes, $bytes, 'the reader goes on: every byte came';
	is $p->md5, pattern_md5($bytes), 'the reader goes on: and was right';
}
{
	my $name = "$PREFIX-killed";
	my $p = start(['docker', 'run', '--log-driver', 'none',
		run_args($RUNTIME, $name), TEST_IMAGE, 'probe', 'write', '1',
		'1000000000'], pause => 1);
	ok eventually(90, sub { container_pid($name) }), 'reader never reads: it runs';
	is docker('kill', $name)->code, 0, 'reader never reads: docker kill works';
	ok eventually(30, sub { inspect($name)->{State}{Status} eq 'exited' }),
	    'reader never reads: it ends';
	$p->kill;
}
{
	my $name = "$PREFIX-late";
	my $p = start(['docker', 'run', '-i', '--rm', run_args($RUNTIME, $name),
		TEST_IMAGE, 'sh', '-c', 'trap "go=1" USR1; echo ready; until [ "$go" ]; do usleep 50000; done; probe count'],
	    stdin => 'z' x 30_000_000);
	ok defined $p->expect(qr/ready/, 120), 'late reader: it runs';
	my ($still, $last) = (0, -1);
	ok eventually(60, sub {
		$p->_pump(0.01);
		my $left = length $p->{queue};
		$still = $left == $last ? $still + 1 : 0;
		$last = $left;
		return $still >= 30;
	}), 'late reader: the writer waits';
	cmp_ok $last, '>', 0, "late reader: $last bytes are not taken";
	my $rss = rss_kib(container_pid($name));
	cmp_ok $rss, '<', 32 * 1024, "late reader: the supervisor holds $rss KiB";
	docker_ok('kill', '-s', 'USR1', $name);
	is $p->finish(120), 0, 'late reader: ends';
	like $p->out, qr/^bytes 30000000 .* end EOF$/m,
	    'late reader: every byte waited for it';
}

# ---- runq by itself ----
my $dir = tempdir();
my $bundle = "$dir/bundle";
mkdir $bundle;
mkdir "$bundle/rootfs";
{
	docker_ok('create', run_args($REFERENCE, "$PREFIX-export"), TEST_IMAGE);
	run(['sh', '-c', 'docker export "$1" | tar -C "$2" -x', 'sh',
		"$PREFIX-export", "$bundle/rootfs"])->code eq '0' or die 'export';
	run(['sh', '-c', 'cd "$1" && runc spec', 'sh', $bundle])->code eq '0'
	    or die 'runc spec';
}
my $spec = decode_json(slurp("$bundle/config.json"));
my @accel = $RUNTIME eq 'runq' ? () : ('--accel', 'tcg');
my $run = 0;

sub bundle_args {
	my (%o) = @_;
	my $config = decode_json(encode_json($spec));
	my $copy = "$dir/b" . ++$run;

	$config->{process}{args} = $o{args};
	$config->{process}{terminal} = $o{terminal} ? JSON::PP::true : JSON::PP::false;
	$config->{process}{env} = ['PATH=/bin', 'TERM=xterm'];
	$config->{root} = { path => "$bundle/rootfs", readonly => JSON::PP::true };
	mkdir $copy;
	spew("$copy/config.json", encode_json($config));
	return ($RUNQ, @accel, 'run', '--bundle', $copy, "$PREFIX-b$run");
}

{
	spew("$dir/in", 'file contents ' x 100_000);
	open my $in, '<', "$dir/in" or die;
	open my $out, '>', "$dir/out" or die;
	my $p = run([bundle_args(args => ['cat'])], stdin => $in, stdout => $out);
	is $p->code, 0, 'runq run: stdin and stdout are files' or diag $p->err;
	is slurp("$dir/out"), slurp("$dir/in"), 'the copy is the same';
	is $p->err, '', 'nothing on stderr';
}
{
	my $p = run([bundle_args(args => ['probe', 'count'])]);
	like $p->out, qr/^bytes 0 .*EOF/, 'runq run: stdin is /dev/null';
	$p = run([bundle_args(args => ['sh', '-c', 'echo out; echo err >&2; exit 11'])]);
	is $p->code, 11, 'runq run: the exit status';
	is $p->out, "out\n", 'stdout';
	is $p->err, "err\n", 'stderr';
	$p = run([bundle_args(args => ['cat'])], stdin => "through a pipe\n");
	is $p->out, "through a pipe\n", 'runq run: stdin is a pipe';
	$p = run([bundle_args(args => ['/no/such'])]);
	isnt $p->code, 0, 'runq run: no such program';
	like $p->err, qr{/no/such}, 'which stderr names';
}
{
	my $p = start([bundle_args(args => ['sh', '-c',
		'probe write 1 50000000 & while echo tick >&2; do usleep 100000; [ -d /proc/$! ] || break; done; exit 6'])],
	    sum => 1);
	my $out = delete $p->{fh}{out};
	ok eventually(90, sub { $p->_pump(0.05); $p->bytes('err') > 50 }),
	    'runq run: nobody reads stdout, stderr still comes';
	$p->{fh}{out} = $out;
	is $p->finish(120), 6, 'runq run: then it is read to the end';
	is $p->md5, pattern_md5(50_000_000), 'runq run: and is right';
}
{
	my $p = start([bundle_args(args => ['sh', '-c',
		'tty; probe winsize 1000; exit 44'], terminal => 1)], pty => [21, 91]);
	ok defined $p->expect(qr{/dev/pts/0\r\n}, 90), 'runq run: a terminal'
	    or diag $p->out;
	ok defined $p->expect(qr/size 21 91/, 30), 'of the right size';
	$p->resize(30, 100);
	ok defined $p->expect(qr/size 30 100/, 30), 'which follows';
	$p->send("\x03");
	$p->finish(60);
	# the shell goes on with the next command, or ends itself
	like $p->code, qr/^(44|130)$/, 'ctrl-C ends its foreground job';
}
is run([$RUNQ, 'list', '-q'])->out =~ /$PREFIX/ ? 'left' : '', '',
    'runq list: none of ours is left';

done_testing();
