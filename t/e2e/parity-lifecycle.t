#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Parity: signals, stopping, pausing, restarting, and what Docker reports of
# a container.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use E2E;
use E2E::Parity;

sub state_of {
	my ($name) = @_;
	my $state = inspect($name)->{State};

	return "$state->{Status} exit $state->{ExitCode} oom " .
	    ($state->{OOMKilled} ? 'yes' : 'no') . " error '$state->{Error}'\n";
}

# ---- signals ----
case 'docker kill -s: every signal that can be trapped', timeout => 300,
    do => sub {
	my ($c) = @_;
	my $p = $c->start([], ['probe', 'trap', '64']);
	my $seen = '';
	$p->expect(qr/ready\n/, 90) // die 'not ready: ' . $p->err;
	for my $sig (1 .. 8, 10 .. 18, 20 .. 31, 34 .. 64) {
		my $kill = docker('kill', '-s', $sig, $c->name);
		if ($kill->code ne '0') {
			$seen .= "$sig refused\n";
			next;
		}
		$seen .= ($p->expect(qr/signal $sig\n/, 20) //
		    "signal $sig was lost\n");
	}
	return $seen . $p->finish(60);
    }, want => qr/signal 15\n/;
case 'docker kill -s: by name', do => sub {
	my ($c) = @_;
	my $p = $c->start([], ['probe', 'trap', '15']);
	$p->expect(qr/ready\n/, 90) // die 'not ready: ' . $p->err;
	for my $sig (qw(HUP SIGUSR1 WINCH RTMIN RTMAX-1 TERM)) {
		docker('kill', '-s', $sig, $c->name);
		$p->expect(qr/signal \d+\n(?!.)\z/, 20);
	}
	return $p->finish(60) . $p->out;
    }, want => qr/signal 15\n/;
case 'docker kill: SIGKILL', do => sub {
	my ($c) = @_;
	$c->detach([], ['probe', 'hold']);
	$c->logs_match(qr/ready/);
	docker_ok('kill', $c->name);
	return $c->wait . state_of($c->name);
    }, want => qr/status 137/;
case 'docker kill -s TERM: PID 1 without a handler is not ended',
    do => sub {
	my ($c) = @_;
	$c->detach([], ['probe', 'hold']);
	$c->logs_match(qr/ready/);
	docker_ok('kill', '-s', $_, $c->name) for qw(TERM INT USR1);
	my $runs = docker(['wait', $c->name], timeout => 2)->code;
	docker_ok('kill', $c->name);
	return "$runs " . $c->wait;
    }, want => qr/timeout status 137/;
case 'docker kill -s TERM with --init ends the child', do => sub {
	my ($c) = @_;
	$c->detach(['--init'], ['probe', 'hold']);
	$c->logs_match(qr/ready/);
	docker_ok('kill', '-s', 'TERM', $c->name);
	return $c->wait;
    }, want => qr/status 143/;
case 'the client passes signals on', do => sub {
	my ($c) = @_;
	my $p = $c->start([], ['probe', 'trap', '15']);
	$p->expect(qr/ready\n/, 90) // die 'not ready: ' . $p->err;
	$p->signal('USR2');
	$p->expect(qr/signal 12\n/, 20);
	$p->signal('TERM');
	return $p->finish(60) . $p->out;
    }, want => qr/^40.*signal 12\nsignal 15/s;
case 'docker kill while the container starts', do => sub {
	my ($c) = @_;
	$c->detach([], ['probe', 'hold']);
	my $kill = docker('kill', $c->name);
	return $kill->code . $c->wait;
    }, want => qr/0status 137/;

# ---- stop ----
case 'docker stop: SIGTERM, trapped', do => sub {
	my ($c) = @_;
	$c->detach([], ['sh', '-c', 'trap "echo bye; exit 33" TERM; echo ready; while :; do sleep 1000 & wait; done']);
	$c->logs_match(qr/ready/);
	docker_ok('stop', '-t', '30', $c->name);
	return $c->wait . docker('logs', $c->name)->out . state_of($c->name);
    }, want => qr/status 33\nready\nbye/;
case 'docker stop: SIGTERM ignored, SIGKILL after its time', do => sub {
	my ($c) = @_;
	$c->detach([], ['probe', 'trap', '64']);
	$c->logs_match(qr/ready/);
	docker_ok('stop', '-t', '1', $c->name);
	return $c->wait . docker('logs', $c->name)->out . state_of($c->name);
    }, want => qr/status 137\nready\nsignal 15/;
case '--stop-signal', do => sub {
	my ($c) = @_;
	$c->detach(['--stop-signal', 'USR1'], ['probe', 'trap', '10']);
	$c->logs_match(qr/ready/);
	docker_ok('stop', '-t', '30', $c->name);
	return $c->wait . docker('logs', $c->name)->out;
    }, want => qr/status 40\nready\nsignal 10/;
case 'docker rm -f of a running container', do => sub {
	my ($c) = @_;
	$c->detach([], ['probe', 'hold']);
	$c->logs_match(qr/ready/);
	docker_ok('rm', '-f', $c->name);
	return docker('inspect', $c->name)->code;
    }, want => qr/1/;
case '--rm removes it', do => sub {
	my ($c) = @_;
	my $p = $c->run(['--rm'], TEST_IMAGE, ['true']);
	return $p->code . (eventually(20, sub {
		docker('inspect', $c->name)->code ne '0' }) ? 'gone' : 'there');
    }, want => qr/0gone/;

# ---- pause, restart ----
case 'docker pause and unpause', do => sub {
	my ($c) = @_;
	my $p = $c->start(['-i'], ['sh', '-c',
		'while read -r a; do echo "$a"; done'], stdin => 'hold');
	$p->send("one\n");
	$p->expect(qr/one\n/, 90) // die 'no one';
	docker_ok('pause', $c->name);
	my $state = inspect($c->name)->{State}{Status};
	$p->send("two\n");
	my $silent = $p->expect(qr/two/, 1.5) ? 'it ran' : 'silent';
	docker_ok('unpause', $c->name);
	my $then = $p->expect(qr/two\n/, 30) // 'nothing';
	$p->close_stdin;
	return "$state $silent $then" . $p->finish(60);
    }, want => qr/paused silent two\n0/;
case 'docker stop and start again: files stay, processes do not', do => sub {
	my ($c) = @_;
	my $name = $c->detach([], ['sh', '-c', 'echo x >>/runs; wc -l </runs; exec probe trap 15']);
	$c->logs_match(qr/ready/);
	docker_ok('stop', $name);
	docker_ok('start', $name);
	$c->logs_match(qr/2\nready/);
	docker_ok('stop', $name);
	return $c->wait . docker('logs', $name)->out;
    }, want => qr/status 40\n1\nready.*2\nready/s;
case 'docker start -a of a created container', do => sub {
	my ($c) = @_;
	$c->create(['-i'], ['sh', '-c', 'cat; exit 4']);
	my $p = run(['docker', 'start', '-ai', $c->name], stdin => "in\n");
	return $p->code . $p->out . $p->err;
    }, want => qr/4in/;
case 'docker restart', do => sub {
	my ($c) = @_;
	my $name = $c->detach([], ['sh', '-c', 'trap "exit 0" TERM; echo up; while :; do sleep 1000 & wait; done']);
	$c->logs_match(qr/up/);
	docker_ok('restart', $name);
	$c->logs_match(qr/up\nup/);
	docker_ok('kill', $name);
	return $c->wait . docker('logs', $name)->out;
    }, want => qr/status 137\nup\nup\n/;
case '--restart on-failure:2', do => sub {
	my ($c) = @_;
	my $name = $c->detach(['--restart', 'on-failure:2'],
	    ['sh', '-c', 'echo again; exit 3']);
	eventually(120, sub {
		my $info = inspect($name);
		return $info->{RestartCount} == 2 &&
		    $info->{State}{Status} eq 'exited';
	});
	return inspect($name)->{RestartCount} . state_of($name) .
	    docker('logs', $name)->out;
    }, want => qr/2exited exit 3.*again\nagain\nagain\n/s;

# ---- what Docker reports ----
case 'docker inspect after the end', do => sub {
	my ($c) = @_;
	$c->detach([], ['sh', '-c', 'exit 19']);
	return $c->wait . state_of($c->name);
    }, want => qr/exited exit 19/;
case 'docker ps while it runs', do => sub {
	my ($c) = @_;
	my $name = $c->detach(['-p', '127.0.0.1::80'], ['probe', 'hold']);
	$c->logs_match(qr/ready/);
	return docker('ps', '--filter', "name=$name", '--format',
	    '{{.Image}} {{.Command}} {{.Names}} {{.Status}} {{.Ports}}')->out;
    }, want => qr/probe hold/, except => [
	'ports are picked by Docker' => [qr/:\d+->/, ':PORT->'],
	'the age in seconds' => [qr/Up .*? 127/, 'Up 127']];
case 'docker top: a table', do => sub {
	my ($c) = @_;
	$c->detach([], ['probe', 'hold']);
	$c->logs_match(qr/ready/);
	my $p = docker('top', $c->name);
	return $p->code . (split /\n/, $p->out)[0];
    }, want => qr/0UID/;
case 'docker stats: numbers', do => sub {
	my ($c) = @_;
	$c->detach([], ['probe', 'hold']);
	$c->logs_match(qr/ready/);
	my $p = docker('stats', '--no-stream', '--format',
	    '{{.Name}} {{.PIDs}} {{.MemUsage}}', $c->name);
	return $p->code . $p->out =~ s/\d+(\.\d+)?[kKMG]?i?B?/N/gr;
    }, except => ['names hold numbers' => [qr/0\S+ /, '0NAME ']];
case 'docker events: create, start, die with the exit code', do => sub {
	my ($c) = @_;
	my $events = start(['docker', 'events', '--filter', 'type=container',
		'--filter', 'container=' . $c->name, '--format',
		'{{.Action}} {{.Actor.Attributes.exitCode}}']);
	$c->detach([], ['sh', '-c', 'exit 5']);
	$c->wait;
	$events->expect(qr/die 5\n/, 30);
	$events->kill;
	return $events->out;
    }, want => qr/start.*die 5/s;
case 'docker commit of what the container wrote', do => sub {
	my ($c) = @_;
	$c->detach([], ['sh', '-c', 'echo kept >/kept; mkfifo /tmp/p; chmod 4711 /bin/script']);
	$c->wait;
	my $image = lc $c->name('image');
	docker_ok('commit', '-c', "LABEL runq-e2e=$PREFIX", $c->name, $image);
	my $p = docker('run', '--rm', '--runtime', $REFERENCE, $image, 'sh',
	    '-c', 'cat /kept; probe stat /tmp/p /bin/script');
	return $p->code . $p->out;
    }, want => qr/0kept/;
case 'docker update of a running container', do => sub {
	my ($c) = @_;
	$c->detach(['-m', '1g', '--memory-swap', '1g'], ['probe', 'hold']);
	$c->logs_match(qr/ready/);
	my $p = docker('update', '--restart', 'no', '--cpu-shares', '512', $c->name);
	return $p->code . $p->out . $p->err;
    }, want => qr/0NAME|0runq/;
case 'docker wait on one that ended long ago', do => sub {
	my ($c) = @_;
	$c->detach([], ['probe', 'exit', '77']);
	$c->wait;
	return $c->wait;
    }, want => qr/status 77/;

run_cases();
