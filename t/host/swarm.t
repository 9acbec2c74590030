#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A Docker Swarm of one node whose default runtime is runq: virtual addresses,
# names, the routing mesh, updates, and what happens when a VM dies.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use E2E;
use Host::Look;
use Host::Swarm;

# ---- the default runtime ----
swarm_runtime();
ok eventually(20, sub { docker_ok('info', '-f', '{{.DefaultRuntime}}') eq
	'runq' }), 'default-runtime: runq';
docker_ok('swarm', 'init', '--advertise-addr', '10.0.2.15');
docker_ok('network', 'create', '-d', 'overlay', 'mesh');

# ---- a service of three ----
# Published by another port than the one where it listens.
my $serve = 'exec httpd -f -p 80 -h /w';
docker_ok('service', 'create', '-d', '--name', 'web', '--replicas', 3,
    '--network', 'mesh', '-p', '8080:80', '-p', '8081:81',
    '--no-resolve-image', '--env', 'RUNQ_MEM=128', TEST_IMAGE, 'sh', '-c',
    "mkdir /w; hostname >/w/index.html; $serve");
my @tasks;
ok eventually(200, sub { @tasks = swarm_tasks('web'); @tasks == 3 }),
    'three tasks run' or diag swarm_state('web');
is scalar(grep { qemu_pid($_) } @tasks), 3, 'each is a VM';

my %page = map { $_ => docker_ok('exec', $_, 'hostname') . "\n" } @tasks;
my $subnet = docker_ok('network', 'inspect', '-f',
    '{{range .IPAM.Config}}{{.Subnet}}{{end}}', 'mesh') =~ s/\d+\/24$//r;
my %address = map { $_ => (docker('exec', $_, 'ip', '-4', '-o', 'addr')->out =~
	/inet (\Q$subnet\E\d+)\//)[0] } @tasks;
is scalar(grep { $_ } values %address), 3,
    'each has an address of the overlay network' or diag explain \%address;
my ($first, @others) = @tasks;

sub fetch {
	my ($url) = @_;
	my $p = docker('exec', $first, 'timeout', 20, 'wget', '-q', '-O', '-', $url);

	return $p->code eq "0" && $p->out ne "" ? $p->out :
	    sprintf "status %s, %s", $p->code, $p->err;
}

is fetch("http://$address{$_}/"), $page{$_}, 'from task to task' for @others;

# ---- names and the virtual address ----
my $names = docker('exec', $first, 'nslookup', 'tasks.web')->out;
is scalar(grep { $_ && $names =~ /\b\Q$_\E\b/ } values %address), 3,
    'tasks.web resolves to all three' or diag $names;
my ($vip) = docker_ok('service', 'inspect', '-f',
    '{{range .Endpoint.VirtualIPs}}{{.Addr}} {{end}}', 'web') =~
    /(\Q$subnet\E\d+)/;
like docker('exec', $first, 'nslookup', 'web')->out, qr/\b\Q$vip\E\b/,
    'web resolves to the virtual address';
my %seen = map { fetch('http://web/') => 1 } 1 .. 6;
is_deeply [sort keys %seen], [sort values %page],
    'the virtual address leads to each of the three';

# ---- the routing mesh ----
sub published {
	return run(['curl', '-sS', '-m', 20, "http://10.0.2.15:$_[0]/"]);
}

ok eventually(60, sub { published(8080)->code eq '0' }),
    'a published port answers' or diag published(8080)->err;
%seen = map { published(8080)->out => 1 } 1 .. 6;
is_deeply [sort keys %seen], [sort values %page],
    'the routing mesh leads to each of the three, at another port';
isnt published(8081)->code, 0, 'a port where nobody listens is refused';
my ($ingress) = docker('exec', $first, 'ip', '-4', '-o', 'addr')->out =~
    /inet (10\.0\.0\.\d+)\//;
docker('exec', '-d', $first, 'httpd', '-f', '-p', 99, '-h', '/w');
is fetch("http://$address{$first}:99/"), $page{$first},
    'a port of the task\'s own';
my $p = docker('exec', $others[0], 'timeout', 5, 'wget', '-q', '-O', '-',
    "http://$ingress:99/");
isnt $p->code, 0, 'is not there for others on the network ingress';

# ---- a VM that dies ----
kill 'KILL', qemu_pid($first);
ok eventually(200, sub {
	my @now = swarm_tasks('web');
	return @now == 3 && !grep { $_ eq $first } @now;
}), 'a killed VM is replaced' or diag swarm_state('web');

# ---- rolling update ----
docker_ok('service', 'update', '-d', '--no-resolve-image', '--args',
    "sh -c 'mkdir /w; echo second >/w/index.html; $serve'", 'web');
ok eventually(300, sub {
	docker_ok('service', 'inspect', '-f', '{{.UpdateStatus.State}}', 'web') eq
	    'completed' }), 'a rolling update completes'
    or diag swarm_state('web');
# without a health check a task is there for others from the start of its VM
ok eventually(100, sub {
	%seen = map { published(8080)->out => 1 } 1 .. 6;
	return keys %seen == 1 && $seen{"second\n"};
}), 'all tasks are of the new version' or diag explain \%seen;

# ---- the end ----
docker_ok('service', 'rm', 'web');
ok eventually(120, sub { !docker('ps', '-aq')->out }), 'no container is left';
docker_ok('swarm', 'leave', '--force');
done_testing();
