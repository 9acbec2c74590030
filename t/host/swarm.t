#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A Docker Swarm of one node whose default runtime is runq. What a swarm does
# in a task's own network namespace (virtual addresses, other target ports)
# cannot reach a VM: services are by DNS, published ports are target ports.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host timeout => 900;
use Test::More;
use E2E;
use Host::Look;

# ---- the default runtime ----
my $file = '/etc/docker/daemon.json';
my $config = JSON::PP->new->decode(slurp($file));
$config->{'default-runtime'} = 'runq';
spew($file, JSON::PP->new->pretty->encode($config));
run(["$SRC/image/reload-docker"]);
ok eventually(20, sub { docker_ok('info', '-f', '{{.DefaultRuntime}}') eq
	'runq' }), 'default-runtime: runq';
docker_ok('swarm', 'init', '--advertise-addr', '10.0.2.15');
docker_ok('network', 'create', '-d', 'overlay', '--attachable', 'mesh');

# ---- a service of three ----
docker_ok('service', 'create', '-d', '--name', 'web', '--replicas', 3,
    '--network', 'mesh', '--endpoint-mode', 'dnsrr', '--no-resolve-image',
    '--env', 'RUNQ_MEM=128', TEST_IMAGE, 'sh', '-c',
    'mkdir /w; hostname >/w/index.html; echo serving; exec httpd -f -p 80 -h /w');

sub tasks {
	my ($service) = @_;

	return grep { docker('exec', $_, 'true')->code eq '0' }
	    split ' ', docker('ps', '-q', '--filter',
		"label=com.docker.swarm.service.name=$service")->out;
}

my @tasks;
ok eventually(240, sub { @tasks = tasks('web'); @tasks == 3 }),
    'three tasks run' or diag docker('service', 'ps', '--no-trunc', 'web')->out;
is scalar(grep { qemu_pid($_) } @tasks), 3, 'each is a VM';

my %address = map { my ($line) = docker('exec', $_, 'ip', '-4', '-o', 'addr',
	'show')->out; $_ => ($line =~ /inet (10\.0\.\d+\.\d+)\//)[0] } @tasks;
is scalar(grep { $_ } values %address), 3,
    'each has an address of the overlay network';
my $reached = 0;
for my $to (grep { $_ } @address{ @tasks[1 .. $#tasks] }) {
	$reached++ if docker('exec', $tasks[0], 'wget', '-q', '-O',
	    '-', "http://$to/")->code eq '0';
}
is $reached, 2, 'from task to task over the overlay network';

# ---- names ----
my $names = docker('exec', $tasks[0], 'nslookup', 'tasks.web')->out;
is scalar(grep { $_ && $names =~ /\b\Q$_\E\b/ } values %address), 3,
    'tasks.web resolves to all three' or diag $names;
my $p = docker('exec', $tasks[0], 'wget', '-q', '-O', '-',
    'http://web/');
is $p->code, 0, 'the service answers by its name' or diag $p->err;

# ---- a VM that dies ----
my ($victim) = @tasks;
kill 'KILL', qemu_pid($victim);
ok eventually(180, sub {
	my @now = tasks('web');
	return @now == 3 && !grep { $_ eq $victim } @now;
}), 'a killed VM is replaced' or
    diag docker('service', 'ps', '--no-trunc', 'web')->out;
docker_ok('service', 'rm', 'web');

# ---- the routing mesh ----
docker_ok('service', 'create', '-d', '--name', 'site', '--replicas', 1,
    '--no-resolve-image', '--env', 'RUNQ_MEM=128', '-p', '8080:8080',
    TEST_IMAGE, 'sh', '-c',
    'mkdir /w; echo page >/w/index.html; exec httpd -f -p 8080 -h /w');
ok eventually(180, sub { run(['curl', '-sS', '-m', 5,
		'http://10.0.2.15:8080/'])->out eq "page\n" }),
    'a published port answers through the routing mesh' or
    diag docker('service', 'ps', '--no-trunc', 'site')->out;

# ---- rolling update ----
docker_ok('service', 'update', '-d', '--no-resolve-image', '--args',
    "sh -c 'mkdir /w; echo second >/w/index.html; exec httpd -f -p 8080 -h /w'",
    'site');
ok eventually(180, sub { run(['curl', '-sS', '-m', 5,
		'http://10.0.2.15:8080/'])->out eq "second\n" }),
    'an update rolls' or
    diag docker('service', 'ps', '--no-trunc', 'site')->out;
docker_ok('service', 'rm', 'site');
docker_ok('swarm', 'leave', '--force');
ok eventually(60, sub { !docker('ps', '-aq')->out }), 'no container is left';
done_testing();
