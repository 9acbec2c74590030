#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL with its data on a disk: the documents' example, and a crash in
# the middle of writing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

need_runq();
use constant POSTGRES => 'runq-e2e-postgres';

plan(skip_all => 'the image ' . POSTGRES . ' is missing (t/e2e/images)')
    if docker('image', 'inspect', POSTGRES)->code ne '0';

my $dir = tempdir();
my $server = "$PREFIX-pgserver";
my $image = "$dir/data.img";

run(['dd', 'if=/dev/zero', "of=$image", 'bs=1M', 'count=300']);
run(['mkfs.ext4', '-q', '-F', $image])->code eq '0' or die 'mkfs.ext4';

my @server = ('-d', '-e', 'RUNQ_CPU=2', '-e', 'RUNQ_MEM=512',
    '-e', 'POSTGRES_PASSWORD=mysecret', '-v',
    "$image:/dev/runq/0001/writeback/ext4/var/lib/postgresql", POSTGRES);

sub ready {
	my ($name, $times) = @_;

	return eventually(300, sub {
		my $p = docker('logs', $name);
		my $n = () = ($p->out . $p->err) =~
		    /ready to accept connections/g;
		return $n >= $times ||
		    inspect($name)->{State}{Status} ne 'running';
	}) && inspect($name)->{State}{Status} eq 'running';
}

# psql, pgbench, ... in a container of its own, linked to the server.
sub client {
	my ($link, @command) = @_;

	return docker(['run', '--rm', run_args($RUNTIME, "$PREFIX-client"),
		'--link', "$link:postgres", '-e', 'PGPASSWORD=mysecret',
		POSTGRES, @command], timeout => 300);
}

sub sql {
	my ($link, $text) = @_;

	return client($link, 'psql', '-h', 'postgres', '-U', 'postgres', '-At',
	    '-c', $text);
}

docker_ok('run', run_args($RUNTIME, $server), @server);
ok ready($server, 1), 'the server runs' or
    diag docker('logs', $server)->err;
{
	my $p = client($server, 'psql', '-h', 'postgres', '-U', 'postgres', '-c',
	    'select 42 as answer;');
	is $p->code, 0, 'a second container asks it' or diag $p->err;
	like $p->out, qr/^\s*answer\s*\n-+\n\s+42\n\(1 row\)/, 'and gets 42';
	like docker('exec', $server, 'stat', '-f', '-c', '%T',
	    '/var/lib/postgresql/data')->out, qr/^ext/,
	    'the data are on the disk, although the image has a volume there';
}

# pgbench writes, and beside it a client that notes on the host each row whose
# COMMIT was answered. The server's supervisor is killed meanwhile.
{
	my $p = client($server, 'pgbench', '-h', 'postgres', '-U', 'postgres',
	    '-i', '-q', '-s', '1', 'postgres');
	is $p->code, 0, 'pgbench: initialised' or diag $p->err;
	is sql($server, 'create table seen (id bigserial primary key)')->code,
	    0, 'a table for what was committed';
	# what the image's start script wrote without fsync is not the database's
	docker_ok('exec', $server, 'sync');
	my $bench = start(['docker', 'run', run_args($RUNTIME,
		"$PREFIX-bench"), '--link', "$server:postgres", '-e',
		'PGPASSWORD=mysecret', '-v', "$dir:/out", POSTGRES, 'bash', '-c',
		'while id=$(psql -h postgres -U postgres -Atq -v ON_ERROR_STOP=1 ' .
		'-c "insert into seen default values returning id"); do ' .
		'echo "$id" >>/out/committed; done & ' .
		'pgbench -h postgres -U postgres -c 4 -T 300 -n postgres ' .
		'>/out/bench 2>&1; wait; echo over']);
	ok eventually(240, sub {
		(() = (slurp("$dir/committed") // '') =~ /\n/g) >= 15 }),
	    'transactions are committed' or
	    diag slurp("$dir/bench") // '', $bench->err;
	kill 'KILL', container_pid($server);
	ok eventually(30, sub {
		inspect($server)->{State}{Status} eq 'exited' }),
	    'the supervisor is killed in the middle';
	docker('rm', '-f', "$PREFIX-bench");
	$bench->finish(60);
	my @committed = split /\n/, slurp("$dir/committed");

	docker_ok('start', $server);
	ok ready($server, 2), 'the server starts again';
	my $log = docker('logs', $server);
	like $log->out . $log->err, qr/redo done|automatic recovery in progress/,
	    'recovers';
	$p = sql($server, 'select id from seen');
	my %there = map { $_ => 1 } split /\n/, $p->out;
	my @missing = grep { !$there{$_} } @committed;
	is "@missing", '', 'no committed row of ' . @committed . ' is missing' or
	    diag $p->err;
	$p = sql($server, 'select (select sum(abalance) from pgbench_accounts) ' .
	    '= (select sum(delta) from pgbench_history), ' .
	    '(select count(*) > 0 from pgbench_history)');
	is $p->out, "t|t\n", 'what pgbench wrote is consistent' or
	    diag $p->err;
}

# The disk outlives the container.
{
	my $p = docker('stop', '-t', '60', $server);
	is $p->code, 0, 'stopped';
	docker_ok('rm', '-f', '-v', $server);
	is run(['e2fsck', '-fn', $image])->code, 0, 'the disk is consistent';
	like run(['dumpe2fs', '-h', $image])->out, qr/state:\s+clean\n/,
	    'and was unmounted in order';
	docker_ok('run', run_args($RUNTIME, "$server-2"), @server);
	ok ready("$server-2", 1), 'a new container with the same disk';
	like sql("$server-2", 'select count(*) from seen')->out, qr/^\d\d+$/,
	    'has the data';
}

done_testing();
