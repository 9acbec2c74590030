#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Networks by macvtap with vhost-net: macvlan, IPv6, several of them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use E2E;
use Host::Look;

sub network {
	my ($what, @opts) = @_;

	docker_ok('network', 'create', '--label', "runq-e2e=$PREFIX", @opts,
	    "$PREFIX-$what");
	return "$PREFIX-$what";
}

sub reaches {
	my ($from, $to, $what, @opts) = @_;
	my $p = docker('exec', $from, 'ping', @opts, '-c', 1, '-W', 10, $to);

	is $p->code, 0, $what or diag $p->out, $p->err;
}

# ---- a bridge, both families ----
my $both = network('both', '--ipv6', '--subnet', '10.77.1.0/24', '--subnet',
    'fd00:77:1::/64', '--gateway', 'fd00:77:1::1');
my $a = up('a', '--network', $both);
my $b = up('b', '--network', $both);
ok qemu_has_open($a, qr{^/dev/vhost-net}), 'a bridge: vhost-net';
reaches $a, '10.77.1.1', 'a bridge: the gateway by IPv4';
reaches $a, 'fd00:77:1::1', 'a bridge: the gateway by IPv6', '-6';
my $address = inspect($b)->{NetworkSettings}{Networks}{$both};
reaches $a, $address->{IPAddress}, 'a bridge: a peer by IPv4';
reaches $a, $address->{GlobalIPv6Address}, 'a bridge: a peer by IPv6', '-6';

# ---- bulk ----
docker_ok('exec', $b, 'sh', '-c', 'mkdir /w && probe write 1 10000000 >/w/big');
my $sum = docker_ok('exec', $b, 'md5sum', '/w/big');
my $server = start(['docker', 'exec', $b, 'httpd', '-f', '-p', 80, '-h', '/w']);
my $p;
eventually(30, sub {
	$p = docker('exec', $a, 'wget', '-q', '-O', '/tmp/big',
	    "http://$address->{IPAddress}/big");
	$p->code eq '0';
}) or diag $p->err;
is +(split ' ', docker('exec', $a, 'md5sum', '/tmp/big')->out)[0],
    (split ' ', $sum)[0], '10 MB from VM to VM, unharmed';

# ---- macvlan: no bridge, no veth ----
my $macvlan = network('macvlan', '-d', 'macvlan', '-o', 'parent=eth0',
    '--subnet', '10.77.2.0/24', '--gateway', '10.77.2.1');
my $c = up('c', '--network', $macvlan, '--ip', '10.77.2.21');
my $d = up('d', '--network', $macvlan, '--ip', '10.77.2.22');
like docker('exec', $c, 'ip', 'addr', 'show', 'eth0')->out,
    qr{inet 10\.77\.2\.21/24}, 'macvlan: the address';
reaches $c, '10.77.2.22', 'macvlan: a peer';
ok qemu_has_open($c, qr{^/dev/vhost-net}), 'macvlan: vhost-net';

# ---- a bridge and a macvlan ----
docker_ok('create', run_args($RUNTIME, "$PREFIX-e"), '--network', $both,
    TEST_IMAGE, 'sleep', '100000');
docker_ok('network', 'connect', '--ip', '10.77.2.23', $macvlan, "$PREFIX-e");
docker_ok('start', "$PREFIX-e");
eventually(60, sub { docker('exec', "$PREFIX-e", 'true')->code eq '0' });
reaches "$PREFIX-e", '10.77.1.1', 'two networks: the bridge\'s gateway';
reaches "$PREFIX-e", '10.77.2.21', 'two networks: a peer of the macvlan';
is scalar(() = docker('exec', "$PREFIX-e", 'ip', '-o', 'link')->out =~
	/^\d+: eth\d/mg), 2, 'two networks: two interfaces';

# ---- a published port ----
my $web = "$PREFIX-web";
docker_ok('run', '-d', run_args($RUNTIME, $web), '-p', '8123:80', TEST_IMAGE,
    'sh', '-c', 'mkdir /w; echo page >/w/index.html; exec httpd -f -p 80 -h /w');
ok eventually(60, sub { run(['curl', '-sS', '-m', 5,
		'http://10.0.2.15:8123/'])->out eq "page\n" }),
    'a published port answers at the host\'s address';

# ---- the end ----
my @links = split /\n/, run(['ip', '-o', 'link'])->out;
docker('rm', '-f', $a, $b, $c, $d, "$PREFIX-e", $web);
my @left;
eventually(20, sub { !(@left = grep { /macvtap|veth/ } split /\n/,
	run(['ip', '-o', 'link'])->out) });
is "@left", '', 'no interface is left';
cmp_ok scalar @links, '>', 3, 'there were some before';

done_testing();
