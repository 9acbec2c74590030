#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The QMP socket for people: it works while the VM runs, for root only, and
# whatever is done there disturbs neither the container nor the supervisor.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use E2E;

need_runq();

my $name = "$PREFIX-vm";
my $vm = start(['docker', 'run', '-i', run_args($RUNTIME, $name), TEST_IMAGE,
	'sh', '-c', 'echo ready; while read -r a; do echo "got $a"; done; exit 21'],
    stdin => 'hold');
ok defined $vm->expect(qr/ready/, 120), 'the VM runs' or
    BAIL_OUT('no VM: ' . $vm->err);

my $pid = container_pid($name);
my $socket = "/proc/$pid/root/run/qmp.sock";
ok -S $socket, 'the socket is there';
my @stat = stat $socket;
is sprintf('%o', $stat[2] & 07777), '600', 'mode 0600';
is sprintf('%o', (stat "/proc/$pid/root/run")[2] & 0777), '700',
    'in a directory of mode 0700';

sub connect_qmp { return start(['socat', '-', "UNIX-CONNECT:$socket"], stdin => 'hold') }

sub execute {
	my ($qmp, $command, %args) = @_;
	my $id = "e2e-$command";

	$qmp->send(encode_json({ execute => $command, id => $id,
		%args ? (arguments => \%args) : () }) . "\n");
	my $line = $qmp->expect(qr/^.*"id": "\Q$id\E".*$/m, 20) // return undef;
	$qmp->{out} =~ s/^\Q$line\E\r?\n?//m;
	return decode_json($line);
}

sub alive {
	my ($what) = @_;
	my $word = 'w' . int rand 1e9;

	$vm->send("$word\n");
	ok defined $vm->expect(qr/got $word\n/, 60), "$what: the container answers";
}

{
	my $qmp = connect_qmp();
	like $qmp->expect(qr/^\{"QMP".*$/m, 20) // '', qr/"version"/, 'the greeting';
	ok execute($qmp, 'qmp_capabilities')->{return}, 'qmp_capabilities';
	is execute($qmp, 'query-status')->{return}{status}, 'running',
	    'query-status: running';
	is execute($qmp, 'query-cpus-fast')->{return}[0]{'cpu-index'}, 0,
	    'query-cpus-fast';
	ok execute($qmp, 'no-such-command')->{error}, 'an error is an answer';
	$qmp->send("this is no JSON {{{\n");
	$qmp->expect(qr/"error"/, 20);
	alive('after garbage');
	$qmp->close_stdin;
	$qmp->finish(10);
}
alive('after a client has gone');
{
	my $qmp = connect_qmp();
	$qmp->expect(qr/"QMP"/, 20);
	execute($qmp, 'qmp_capabilities');
	ok execute($qmp, 'stop')->{return}, 'stop';
	is execute($qmp, 'query-status')->{return}{status}, 'paused', 'is paused';
	ok execute($qmp, 'cont')->{return}, 'cont';
	alive('after stop and cont');
	$qmp->kill;
}
alive('after a client was killed');
{
	my $qmp = connect_qmp();	# says nothing, and does not read
	alive('with a silent client');
	$vm->close_stdin;
	is $vm->finish(60), 21, 'the exit status is the container\'s';
	is $vm->err, '', 'nothing on stderr';
	$qmp->kill;
}
{
	my $p = start(['docker', 'run', run_args($RUNTIME, "$PREFIX-quit"),
		TEST_IMAGE, 'probe', 'hold']);
	ok defined $p->expect(qr/ready/, 120), 'another VM runs';
	$pid = container_pid("$PREFIX-quit");
	$socket = "/proc/$pid/root/run/qmp.sock";
	my $qmp = connect_qmp();
	$qmp->expect(qr/"QMP"/, 20);
	execute($qmp, 'qmp_capabilities');
	execute($qmp, 'quit');
	my $code = $p->finish(30);
	like $code, qr/^[1-9]\d*$/, "quit ends the container, status $code";
	like $p->err, qr/\S/, 'with words';
}
{
	my $p = start(['docker', 'run', run_args($RUNTIME, "$PREFIX-console"),
		TEST_IMAGE, 'probe', 'hold']);
	ok defined $p->expect(qr/ready/, 120), 'a third VM runs';
	$pid = container_pid("$PREFIX-console");
	my $console = "/proc/$pid/root/run/console.sock";
	SKIP: {
		skip 'no console socket', 1 if !-S $console;
		my $c = start(['socat', '-', "UNIX-CONNECT:$console"], stdin => 'hold');
		ok $c->running, 'the console socket takes a client';
		$c->kill;
	}
	docker('kill', "$PREFIX-console");
	is $p->finish(30), 137, 'docker kill still works';
}

done_testing();
