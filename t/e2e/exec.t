#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Parity of docker exec: a process in a running container. Cases share one
# container of each runtime unless they say what their own is to be.
use strict;
use warnings;
use Digest::MD5;
use FindBin;
use lib "$FindBin::Bin/lib";
use E2E;
use E2E::Parity;

my $bytes = join '', map { chr } 0 .. 255;
my %boxes;

# The container of this side with these options of docker run.
sub box {
	my ($c, @opts) = @_;

	return $boxes{ join "\0", $c->{runtime}, @opts } //=
	    new_box($c, [@opts], 'sleep', '100000');
}

my $number = 0;

sub new_box {
	my ($c, $opts, @cmd) = @_;
	my $name = "$E2E::PREFIX-box" . ++$number;

	docker_ok('run', '-d', run_args($c->{runtime}, $name), '--hostname',
	    'box', @$opts, TEST_IMAGE, @cmd);
	return $name;
}

sub observe {
	my ($p) = @_;

	return join "\n", 'code ' . $p->code, '--- out', $p->{sum} ?
	    ($p->bytes . ' bytes, MD5 ' . $p->md5) : $p->out, '--- err',
	    $p->err, '';
}

# opts: of docker exec; box: of docker run; cmd: what is executed.
sub exec_case {
	my ($name, %case) = @_;
	my ($opts, $box, $cmd, $how) = delete @case{qw(opts box cmd how)};

	case $name, want => qr/^code 0$/m, %case, do => sub {
		my ($c) = @_;
		return observe(docker(['exec', @{ $opts || [] },
			box($c, @{ $box || [] }), @$cmd], %{ $how || {} }));
	};
}

# ---- streams ----
exec_case 'stdout and stderr are separate',
    cmd => ['sh', '-c', 'echo out; echo err >&2; echo out2; echo err2 >&2'],
    want => qr/out\nout2\n\n--- err\nerr\nerr2/;
exec_case 'stdin: a line and its end', opts => ['-i'], cmd => ['cat'],
    how => { stdin => "x\n" }, want => qr/^x$/m;
exec_case 'stdin: empty', opts => ['-i'], cmd => ['probe', 'count'],
    how => { stdin => '' }, want => qr/bytes 0 .*EOF/;
exec_case 'stdin: without -i it is at its end', cmd => ['probe', 'count'],
    how => { stdin => "not for it\n" }, want => qr/bytes 0 .*EOF/;
exec_case 'stdin and stdout: all byte values', opts => ['-i'], cmd => ['cat'],
    how => { stdin => $bytes x 1000, sum => 1 }, want => qr/256000 bytes/;
exec_case 'stdin: 20 MB counted and summed', opts => ['-i'],
    cmd => ['probe', 'count'], how => { stdin => $bytes x 80_000 },
    want => qr/bytes 20480000/;
exec_case 'stdin: the command reads a part only', opts => ['-i'],
    cmd => ['head', '-c', '10'], how => { stdin => 'y' x 1_000_000 },
    want => qr/^y{10}$/m;
exec_case 'stdout: 20 MB and exit at once',
    cmd => ['probe', 'write', '1', '20000000', '7'], how => { sum => 1 },
    want => qr/code 7\n.*20000000 bytes/s;
exec_case 'stderr: 5 MB', cmd => ['sh', '-c',
	'probe write 2 5000000 2>&1 >/dev/null | md5sum; probe write 2 70000'],
    want => qr/code 0/;
case 'stdin: line by line, answer by answer', do => sub {
	my ($c) = @_;
	my $p = start(['docker', 'exec', '-i', box($c), 'sh', '-c',
		'while read -r a; do echo "got $a"; done; echo end; exit 3'],
	    stdin => 'hold');
	my $seen = '';
	for my $word (qw(one two three)) {
		$p->send("$word\n");
		$seen .= $p->expect(qr/got $word\n/, 90) // 'nothing';
	}
	$p->close_stdin;
	return $seen . $p->finish(60) . $p->out;
    }, want => qr/got three\n3.*end/s;
exec_case 'file descriptors: 0, 1 and 2', cmd => ['probe', 'fds'],
    want => qr/fd 2: pipe\n/;

# ---- terminals ----
case '-t: a terminal and its name', do => sub {
	my ($c) = @_;
	my $p = start(['docker', 'exec', '-it', box($c), 'sh', '-c',
		'tty; probe tty; probe fds'], pty => [24, 80]);
	return $p->finish(90) . "\n" . $p->out;
    }, want => qr{\A0\n/dev/pts/\d\r\n};
case '-t: the size follows the terminal', do => sub {
	my ($c) = @_;
	my $p = start(['docker', 'exec', '-it', box($c), 'sh', '-c',
		'stty -echo; probe winsize 1000'], pty => [33, 77]);
	my $seen = $p->expect(qr/size 33 77/, 90) // 'nothing: ' . $p->out;
	follows_size($p) or return 'not followed: ' . $p->out;
	for my $size ([50, 132], [10, 20]) {
		$p->resize(@$size);
		$seen .= $p->expect(qr/size @$size/, 30) //
		    'nothing: ' . $p->out;
	}
	$p->send("\x03");
	return $seen . ' ' . $p->finish(60);
    }, want => qr/size 33 77size 50 132size 10 20/;
case '-t: ctrl-C is SIGINT', do => sub {
	my ($c) = @_;
	my $p = start(['docker', 'exec', '-it', box($c), 'sh', '-c',
		'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 1; done'],
	    pty => [24, 80]);
	$p->expect(qr/ready/, 90) // return 'not ready';
	$p->send("\x03");
	return $p->finish(60) . ' ' . $p->out;
    }, want => qr/^9 .*caught/s;
case '-t: end of file is typed', do => sub {
	my ($c) = @_;
	my $p = start(['docker', 'exec', '-it', box($c), 'sh', '-c',
		'echo ready; exec cat'], pty => [24, 80]);
	$p->expect(qr/ready/, 90) // return 'not ready';
	$p->send("abX\x7fc\n");
	my $seen = $p->expect(qr/abc\r\n/, 90) // 'nothing: ' . $p->out;
	$p->send("\x04");
	return "$seen " . $p->finish(60);
    }, want => qr/abc\r\n 0/;
exec_case '-t alone: line endings', opts => ['-t'],
    cmd => ['printf', 'a\nb\r\nc'], want => qr/a\r\nb\r\r\nc/;
case '-it in a container that has a terminal, too', do => sub {
	my ($c) = @_;
	my $p = start(['docker', 'exec', '-it', box($c, '-t'), 'tty'],
	    pty => [24, 80]);
	return $p->finish(90) . "\n" . $p->out;
    }, want => qr{^/dev/pts/1\r$}m;

# ---- what the process is given ----
exec_case 'arguments: as they are',
    cmd => ['probe', 'args', 'a b', "it's", '$HOME `id`', '', "new\nline",
	'-x', '--', "gr\xc3\xbcn", "latin\xfc", 'x' x 100_000],
    want => qr/it's/;
exec_case '-e: new, changed and empty variables',
    box => ['-e', 'A=container', '-e', 'B=container'],
    opts => ['-e', 'A=exec', '-e', 'C=', '-e', "NL=a\nb"],
    cmd => ['probe', 'env'], want => qr/A=exec.*B=container/s;
exec_case '-e: 500 variables of 1 KiB',
    opts => [map { ('-e', "V$_=" . 'x' x 1024) } 1 .. 500],
    cmd => ['sh', '-c', 'probe env | md5sum'];
exec_case 'the working directory is the container\'s',
    box => ['-w', '/data'], cmd => ['probe', 'ids'],
    want => qr{cwd: /data$}m;
exec_case '-w: another one', opts => ['-w', '/home/app'],
    cmd => ['probe', 'ids'], want => qr{cwd: /home/app$}m;
exec_case '-u: a name', opts => ['-u', 'app'], cmd => ['probe', 'ids'],
    want => qr/groups: .*29/;
exec_case '-u: uid:gid', opts => ['-u', '1234:5678'], cmd => ['probe', 'ids'],
    want => qr/Uid:\s1234\s.*Gid:\s5678/s;
exec_case '-u: HOME follows', opts => ['-u', 'app'], cmd => ['probe', 'env'],
    want => qr{HOME=/home/app};
exec_case '-u: back to root', box => ['-u', 'app'], opts => ['-u', '0'],
    cmd => ['sh', '-c', 'probe ids; probe caps'], want => qr/Uid:\s0/;
exec_case 'the user is the container\'s', box => ['-u', 'app'],
    cmd => ['sh', '-c', 'probe ids; probe caps'], want => qr/Uid:\s1000/;
exec_case 'groups are the container\'s', box => ['--group-add', 'video'],
    cmd => ['probe', 'ids'], want => qr/groups: .*44/;
exec_case 'capabilities are the container\'s',
    box => ['--cap-drop', 'ALL', '--cap-add', 'CHOWN'],
    cmd => ['probe', 'caps'], want => qr/CapEff:\s0000000000000001/;
exec_case 'capabilities: a dropped one is felt',
    box => ['--cap-drop', 'ALL', '--cap-add', 'CHOWN'],
    cmd => ['chroot', '/', 'true'], want => qr/not permitted/;
exec_case '--privileged: more than the container has',
    opts => ['--privileged'], cmd => ['sh', '-c',
	'grep -q "CapEff:.*ffffffff" /proc/self/status && echo all'],
    want => qr/^all$/m,
    skip => sub {
	docker('run', '--rm', '--runtime', $REFERENCE, '--privileged',
	    TEST_IMAGE, 'true')->code eq '0' ? '' :
	    "$REFERENCE runs no privileged process here";
    };
exec_case 'no-new-privileges', box => ['--security-opt',
	'no-new-privileges'], opts => ['-u', 'app'],
    cmd => ['sh', '-c', 'probe-suid ids; probe caps'],
    want => qr/NoNewPrivs:\s1/;
exec_case 'seccomp: Docker\'s profile', cmd => ['probe', 'syscalls'],
    want => qr/keyctl: EPERM/,
    except => ['the guest has its own kernel, with other options' =>
	qr/^(clone3|process_vm_readv|io_uring_setup|get_mempolicy|mbind|kcmp|pidfd_getfd):/];
exec_case 'seccomp: unconfined',
    box => ['--security-opt', 'seccomp=unconfined'],
    cmd => ['probe', 'caps'], want => qr/Seccomp:\s0/;
exec_case 'limits: those that nobody set', cmd => ['probe', 'limits'],
    want => qr/nofile: \d+/;
exec_case 'limits: the container\'s', cmd => ['probe', 'limits'],
    box => ['--ulimit', 'nofile=123:456', '--ulimit', 'core=0', '--ulimit',
	'nproc=1000:2000'], want => qr/nofile: 123 456/;
exec_case 'signals: none blocked or ignored', cmd => ['probe', 'signals'],
    want => qr/SigBlk:\s0000000000000000/;

# ---- where it is ----
exec_case 'namespaces are those of PID 1', cmd => ['sh', '-c', '
    for n in ipc mnt net pid user uts; do
	[ "$(readlink /proc/self/ns/$n)" = "$(readlink /proc/1/ns/$n)" ] &&
	    echo "$n same"
    done'], want => qr/mnt same.*pid same.*uts same/s;
exec_case 'ps shows both', cmd => ['ps', '-o', 'args'],
    only => qr/^(sleep|ps)/, want => qr/sleep 100000.*ps -o/s;
exec_case 'its parent is outside', cmd => ['grep', 'PPid',
	'/proc/self/status'], want => qr/PPid:\s0$/m;
exec_case 'its root and host name', cmd => ['sh', '-c',
	'readlink /proc/self/root; hostname'], want => qr/box/;
exec_case 'what it writes is the container\'s', cmd => ['sh', '-c',
	'echo written >/tmp/by-exec; cat /proc/1/root/tmp/by-exec'],
    want => qr/written/;
case 'the entry point\'s children and those of exec see each other', do => sub {
	my ($c) = @_;
	my $name = new_box($c, [], 'sh', '-c',
	    'trap "echo caught" USR1; echo ready; while :; do sleep 1; done');
	eventually(60, sub { docker('logs', $name)->out =~ /ready/ }) || die;
	docker_ok('exec', $name, 'kill', '-USR1', '1');
	return eventually(60, sub { docker('logs', $name)->out =~ /caught/ }) ?
	    'caught' : 'not caught';
    }, want => qr/^caught/;

# ---- how it ends ----
for my $code (0, 1, 42, 125, 126, 127, 255) {
	exec_case "exit code $code", cmd => ['probe', 'exit', $code],
	    want => qr/^code $code$/m;
}
for my $signal (qw(TERM KILL SEGV)) {
	exec_case "killed by SIG$signal", cmd => ['sh', '-c', "kill -$signal \$\$"],
	    want => qr/^code 1[34]\d$/m;
}
exec_case 'a child that has stdout when it ends',
    cmd => ['sh', '-c', 'sleep 3 & echo done'], want => qr/done/;

# A start that fails: the words are found in either stream, the code is the
# shell's; a Docker of old says 126 to all of them.
sub failing_case {
	my ($name, $want, $right, %case) = @_;

	case $name, want => $want, except => $case{except}, do => sub {
		my ($c) = @_;
		my $p = docker('exec', @{ $case{opts} || [] }, box($c),
		    @{ $case{cmd} });
		my ($words) = ($p->out . $p->err) =~ /($want)/;
		my $code = $p->code;

		die "code $code" if $code !~ /^12[67]$/ ||
		    ($c->{runtime} eq $RUNTIME && $code != $right);
		return $words // $p->out . $p->err;
	};
}
failing_case 'a missing command: 127',
    qr/exec: "no-such": executable file not found in \$PATH/, 127,
    cmd => ['no-such'];
failing_case 'a missing path: 127', qr{no such file or directory}, 127,
    cmd => ['/no/such'];
failing_case 'not executable: 126', qr{permission denied}, 126,
    cmd => ['/bin/not-executable'];
failing_case '-w: a missing directory',
    qr{chdir to cwd \("/no/such/dir"\).*no such file or directory}, 127,
    opts => ['-w', '/no/such/dir'], cmd => ['true'],
    except => ['exec has no config.json' => [qr/ set in config\.json/, '']];

# ---- detached ----
case '-d: goes on without a client', do => sub {
	my ($c) = @_;
	my $p = docker('exec', '-d', box($c), 'sh', '-c',
	    'echo lost; echo done >/tmp/detached');
	my $text = $p->code . $p->out . $p->err;
	eventually(60, sub {
		docker('exec', box($c), 'cat', '/tmp/detached')->out eq
		    "done\n" }) || die 'no file';
	return $text;
    }, want => qr/^0/;
case '-d: its exit code is known', do => sub {
	my ($c) = @_;
	my $name = box($c);
	my $create = run(['curl', '-sS', '--unix-socket', '/var/run/docker.sock',
		'-H', 'Content-Type: application/json', '-d',
		'{"Cmd":["sh","-c","exit 33"]}',
		"http://docker/containers/$name/exec"]);
	my ($id) = $create->out =~ /"Id":"(\w+)"/ or die $create->out;
	run(['curl', '-sS', '--unix-socket', '/var/run/docker.sock', '-H',
		'Content-Type: application/json', '-d', '{"Detach":true}',
		"http://docker/exec/$id/start"]);
	eventually(60, sub { api('GET', "/exec/$id/json")->out =~
		/"Running":false,"ExitCode":33/ }) || die 'no exit code';
	return 'exit code 33';
    };

# ---- the client, the container ----
case 'the client is killed: stdin ends, the process does not', do => sub {
	my ($c) = @_;
	my $name = box($c);
	my $p = start(['docker', 'exec', '-i', $name, 'sh', '-c',
		'echo ready; cat >/dev/null; echo end of file >/tmp/client'],
	    stdin => 'hold');
	$p->expect(qr/ready/, 90) // die 'not ready';
	$p->kill;
	return eventually(60, sub { docker('exec', $name, 'cat',
		'/tmp/client')->out =~ /end of file/ }) ? 'ended' : 'did not';
    }, want => qr/^ended/;
case 'the client is killed: one that does not read goes on', do => sub {
	my ($c) = @_;
	my $name = box($c);
	my $p = start(['docker', 'exec', $name, 'sh', '-c',
		'echo ready; exec sleep 98765']);
	$p->expect(qr/ready/, 90) // die 'not ready';
	$p->kill;
	my $ps = docker('exec', $name, 'ps', '-o', 'args')->out;
	docker('exec', $name, 'pkill', '-f', 'sleep 98765');
	return $ps =~ /^sleep 98765/m ? 'goes on' : $ps;
    }, want => qr/goes on/;
# What the host sees of the process: itself, or the relay.
sub kill_from_outside {
	my ($c, $opts, %how) = @_;
	my $name = box($c, '--label', 'alone'); # nobody else's processes
	my $wanted = $c->{runtime} eq $REFERENCE ? 'sleep' : 'relay';
	my $first = container_pid($name);
	my $p = start(['docker', 'exec', @$opts, $name, 'sh', '-c',
		'echo ready; exec sleep 98764'], %how);
	$p->expect(qr/ready/, 90) // die 'not ready';
	my $all;
	my @pids;
	eventually(30, sub {
		$all = container_pids($name);
		@pids = grep { $all->{$_} eq $wanted && $_ != $first } keys %$all;
	}) || die "no $wanted";
	kill 'KILL', @pids;
	my $code = $p->finish(60);
	docker('exec', $name, 'pkill', '-f', 'sleep 98764');
	return scalar(@pids) . " killed, code $code";
}
case 'the process is killed from outside', do => sub {
	return kill_from_outside($_[0], []);
    }, want => qr/^1 killed, code 137$/;
case 'the process is killed from outside: -i', do => sub {
	return kill_from_outside($_[0], ['-i'], stdin => 'hold');
    }, want => qr/^1 killed, code 137$/;
case 'the process is killed from outside: -it', do => sub {
	return kill_from_outside($_[0], ['-it'], pty => [24, 80]);
    }, want => qr/^1 killed, code 137$/;
case 'the container is killed: exec ends with it', do => sub {
	my ($c) = @_;
	my $name = new_box($c, [], 'sleep', '100000');
	my $p = start(['docker', 'exec', $name, 'sh', '-c',
		'echo ready; exec sleep 100000']);
	$p->expect(qr/ready/, 90) // die 'not ready';
	docker_ok('kill', $name);
	return $p->finish(20);
    }, want => qr/^137/;
case 'the entry point ends: exec ends with it', do => sub {
	my ($c) = @_;
	my $name = new_box($c, ['-i'], 'sh', '-c',
	    'while ! [ -e /tmp/go ]; do sleep 0.1; done; exit 5');
	my $p = start(['docker', 'exec', $name, 'sh', '-c',
		'echo ready; touch /tmp/go; exec sleep 100000']);
	$p->expect(qr/ready/, 90) // die 'not ready';
	return $p->finish(30);
    }, want => qr/^137/;
case 'a paused container', do => sub {
	my ($c) = @_;
	my $name = box($c);
	docker_ok('pause', $name);
	my $p = docker('exec', $name, 'true');
	docker_ok('unpause', $name);
	return ($p->code eq '0' ? 'ran' : 'refused') .
	    docker('exec', $name, 'echo', 'again')->out;
    }, want => qr/refusedagain/;
case 'a stopped container', do => sub {
	my ($c) = @_;
	my $name = new_box($c, [], 'true');
	docker_ok('wait', $name);
	my $p = docker('exec', $name, 'true');
	my ($why) = $p->err =~ /(is not running)/;
	return $p->code . ' ' . ($why // $p->err);
    }, want => qr/1 is not running/;
case 'exec while the container starts', do => sub {
	my ($c) = @_;
	my $name = new_box($c, [], 'sleep', '100000');
	return docker('exec', $name, 'echo', 'early')->out;
    }, want => qr/^early/;

# ---- many ----
case '20 at once', do => sub {
	my ($c) = @_;
	my $name = box($c);
	my @all = map { start(['docker', 'exec', '-i', $name, 'sh', '-c',
		"cat; exit $_"], stdin => "input $_\n" x 1000) } 1 .. 20;
	return join "\n", map { $_->finish(120) . ' ' .
		Digest::MD5::md5_hex($_->out) } @all;
    }, want => qr/^20 /m;
case 'one that does not read does not stop the others', do => sub {
	my ($c) = @_;
	my $name = box($c);
	my $slow = start(['docker', 'exec', $name, 'probe', 'write', '1',
		'20000000'], pause => 1, sum => 1);
	my $text = observe(docker(['exec', '-i', $name, 'cat'],
		stdin => $bytes x 4000, sum => 1));
	$slow->resume;
	$slow->finish(120);
	return $text . observe($slow);
    }, want => qr/1024000 bytes.*20000000 bytes/s;

# ---- what engines do by exec ----
case 'HEALTHCHECK: unhealthy, then healthy', do => sub {
	my ($c) = @_;
	my $name = new_box($c, ['--health-cmd',
		'test -e /tmp/well || { echo ill; exit 3; }',
		'--health-interval', '1s', '--health-retries', '2'], 'sleep',
	    '100000');
	my $seen = '';
	for my $want (qw(unhealthy healthy)) {
		eventually(60, sub { (inspect($name)->{State}{Health}{Status} //
			'') eq $want }) || die "not $want";
		my $log = inspect($name)->{State}{Health}{Log}[-1];
		$seen .= "$want $log->{ExitCode} $log->{Output}\n";
		docker_ok('exec', $name, 'touch', '/tmp/well');
	}
	docker('rm', '-f', $name);
	return $seen;
    }, want => qr/unhealthy 3 ill.*healthy 0/s;
case 'docker top', do => sub {
	my ($c) = @_;
	my $p = docker('top', box($c));
	return $p->code . ' ' . join ' ', (split ' ', $p->out)[0 .. 7];
    }, want => qr/^0 UID PID PPID/;
case 'docker cp, both ways', files => { in => "copied in\n" }, do => sub {
	my ($c) = @_;
	my $name = box($c);
	docker_ok('cp', $c->dir . '/in', "$name:/tmp/in");
	my $seen = eventually(30, sub {
		docker('exec', $name, 'cat', '/tmp/in')->out });
	docker_ok('exec', $name, 'sh', '-c', 'echo copied out >/tmp/out');
	docker_ok('cp', "$name:/tmp/out", $c->dir . '/out');
	return $seen . slurp($c->dir . '/out');
    }, want => qr/copied in\ncopied out/;

run_cases();
