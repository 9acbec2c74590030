#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Parity: addresses, routes, names, ports, several networks.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::MD5;
use IO::Socket::INET;
use E2E;
use E2E::Parity;

my @virtio = (
	'a network card instead of the end of a veth pair' =>
	    [qr/eth(\d)\@if\d+/, 'eth$1'],
	'its queueing' => [qr{ qdisc \w+( qlen \d+)? *}, ''],
	'interface numbers' => [qr/^\d+: /, 'N: '],
	'link-local addresses come when the kernel is ready' =>
	    qr/inet6 fe80|forever/,
	'the state of the carrier is also a flag of the peer' =>
	    [qr/,M-DOWN/, ''],
	'tunnels that a kernel makes by itself' => qr/\b(tunl0|sit0|ip6tnl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0|ifb\d)\b/,
);

my $show = 'ip addr show lo; ip addr show eth0; ip route; ip -6 route | grep -v fe80 | grep -v ^ff00;
    cat /sys/class/net/eth0/mtu /sys/class/net/eth0/address';

# Two tests that run at the same time must not ask for the same subnet.
my $byte = 100 + $$ % 100;
my ($net, $net6) = ("10.$byte.7", "fd00:$byte:7:");

case 'bridge: addresses and routes with --ip and --mac-address', do => sub {
	my ($c) = @_;
	my $n = $c->network('n', '--subnet', "$net.0/24", '--gateway', "$net.1");
	my $p = $c->run(['--network', $n, '--ip', "$net.77", '--mac-address',
		'02:11:22:33:44:55'], TEST_IMAGE, ['sh', '-c', $show]);
	return $p->out . $p->err;
    }, want => qr/02:11:22:33:44:55.*inet $net.77\/24.*default via $net.1/s,
    except => \@virtio;
case 'bridge: the default one', cmd => ['sh', '-c', 'ip addr show eth0 | grep -o "inet [0-9.]*\.[0-9]*\.\|/16\|brd 172.*"; ip route | grep default; cat /sys/class/net/eth0/mtu'],
    want => qr/default via 172/,
    except => ['the last byte of the address' => [qr/(172.17.0.)\d+/, '$1N']];
case 'bridge: MTU of the network', do => sub {
	my ($c) = @_;
	my $n = $c->network('n', '-o', 'com.docker.network.driver.mtu=1342');
	return $c->run(['--network', $n], TEST_IMAGE,
	    ['cat', '/sys/class/net/eth0/mtu'])->out;
    }, want => qr/^1342$/;
case 'bridge: MTU of 9000, and packets of that size', do => sub {
	my ($c) = @_;
	my $n = $c->network('n', '-o', 'com.docker.network.driver.mtu=9000',
	    '--subnet', "$net.0/24", '--gateway', "$net.1");
	return $c->run(['--network', $n], TEST_IMAGE, ['sh', '-c',
		"cat /sys/class/net/eth0/mtu; ping -c 1 -W 10 -s 8000 $net.1 | grep -c '8008 bytes from'"])->out;
    }, want => qr/^9000\n1$/m;
case 'IPv6: address, routes, gateway answers', do => sub {
	my ($c) = @_;
	my $n = $c->network('n', '--ipv6', '--subnet', "$net.0/24", '--subnet',
	    "$net6:/64", '--gateway', "$net6:1");
	my $p = $c->run(['--network', $n, '--ip6', "$net6:77", '--ip',
		"$net.77", '--mac-address', '02:11:22:33:44:55'], TEST_IMAGE,
	    ['sh', '-c', "$show; ping6 -c 1 -W 10 $net6:1 | grep -c '64 bytes from'; ping -c 1 -W 10 $net.1 | grep -c '64 bytes from'"]);
	return $p->out . $p->err;
    }, want => qr{inet6 ${net6}:77/64.*1\n1\n}s, except => \@virtio;
case 'networks: three, connected before the start', do => sub {
	my ($c) = @_;
	my @n = map { $c->network("n$_", '--subnet', "10.$byte.$_.0/24") } 11 .. 13;
	my $name = $c->create(['--network', $n[0], '--ip', "10.$byte.11.5"],
	    ['sh', '-c', 'for i in eth0 eth1 eth2; do ip addr show $i | grep "inet "; done;
	    ip route; for n in 11 12 13; do ping -c 1 -W 10 "$0.$n.1" | grep -c "64 bytes from"; done',
	    "10.$byte"]);
	docker_ok('network', 'connect', '--ip', "10.$byte.12.5", $n[1], $name);
	docker_ok('network', 'connect', '--ip', "10.$byte.13.5", $n[2], $name);
	docker_ok('start', $name);
	return $c->wait . docker('logs', $name)->out . docker('logs', $name)->err;
    }, want => qr/eth2.*1\n1\n1\n/s, except => \@virtio;
case '--network none', opts => ['--network', 'none'],
    cmd => ['sh', '-c', 'ip addr; ip route; cat /etc/hosts; ping -c 1 127.0.0.1 | grep -c "64 bytes from"'],
    want => qr/127.0.0.1/, except => \@virtio;
case 'loopback is up and has IPv6 as under the reference',
    cmd => ['sh', '-c', 'ping -c 1 127.0.0.1 | grep -c "64 bytes from"; ip addr show lo | grep inet'],
    want => qr/1\n/;

# ---- names ----
case '--dns, --dns-search, --dns-option', opts => ['--dns', '192.0.2.1', '--dns',
	'192.0.2.2', '--dns-search', 'example.test', '--dns-option', 'ndots:3'],
    cmd => ['cat', '/etc/resolv.conf'], want => qr/nameserver 192.0.2.2/;
case 'resolv.conf by default', cmd => ['cat', '/etc/resolv.conf'],
    want => qr/nameserver/;
case 'resolv.conf on a network of the user\'s', do => sub {
	my ($c) = @_;
	my $n = $c->network('n');
	return $c->run(['--network', $n], TEST_IMAGE,
	    ['cat', '/etc/resolv.conf'])->out;
    }, want => qr/127.0.0.11/;
case '--add-host', opts => ['--add-host', 'deep:192.0.2.42', '--add-host',
	'six:2001:db8::1'], cmd => ['sh', '-c', 'grep -E "deep|six" /etc/hosts; ping -c 1 -W 1 deep | head -1'],
    want => qr/192.0.2.42/;
case '/etc/hosts names the container', opts => ['--hostname', 'me'],
    cmd => ['sh', '-c', 'grep -c me /etc/hosts; ping -c 1 me | grep -c "64 bytes from"'],
    want => qr/1\n1/;
case '--link: name, alias and a connection', do => sub {
	my ($c) = @_;
	my $peer = $c->detach([], ['sh', '-c', 'mkdir /w; echo page >/w/index.html; echo ready; exec httpd -f -p 80 -h /w'],
	    $c->name('peer'));
	$c->logs_match(qr/ready/, 90, $peer);
	return $c->run(['--link', "$peer:web"], TEST_IMAGE, ['sh', '-c',
		'grep web /etc/hosts; ping -c 1 -W 10 web | grep -c "64 bytes from"; wget -q -O - http://web/; env | grep WEB_NAME'])->out;
    }, want => qr/1\npage/,
    except => ['addresses are picked by Docker' => [qr/172\.17\.0\.\d+/, 'IP']];
case 'names of peers on a network of the user\'s', do => sub {
	my ($c) = @_;
	my $n = $c->network('n');
	my $peer = $c->detach(['--network', $n, '--network-alias', 'other'],
	    ['sh', '-c', 'mkdir /w; echo page >/w/index.html; echo ready; exec httpd -f -p 80 -h /w'],
	    $c->name('peer'));
	$c->logs_match(qr/ready/, 90, $peer);
	return $c->run(['--network', $n], TEST_IMAGE, ['sh', '-c',
		"wget -q -O - http://other/; wget -q -O - http://$peer/"])->out;
    }, want => qr/page\npage/;

# ---- traffic ----
case 'published port: host to container', do => sub {
	my ($c) = @_;
	my $name = $c->detach(['-p', '127.0.0.1::8080'], ['sh', '-c',
		'mkdir /w; probe write 1 3000000 >/w/big; echo ready; exec httpd -f -p 8080 -h /w']);
	$c->logs_match(qr/ready/);
	my ($port) = docker_ok('port', $name, '8080') =~ /:(\d+)$/m;
	my $p = run(['curl', '-sS', '-m', '60', '--retry', '20',
		'--retry-all-errors', '--retry-delay', '1',
		"http://127.0.0.1:$port/big"], sum => 1);
	return $p->bytes . ' ' . $p->md5;
    }, want => qr/3000000 /;
case 'published port: UDP', do => sub {
	my ($c) = @_;
	my $name = $c->detach(['-p', '127.0.0.1::9/udp'], ['probe', 'udp', '9']);
	$c->logs_match(qr/ready/);
	my ($port) = docker_ok('port', $name, '9/udp') =~ /:(\d+)$/m;
	my $s = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1',
	    PeerPort => $port);
	my $answer = '';
	eventually(20, sub {
		$s->send("ping\n");
		my $r = '';
		vec($r, fileno $s, 1) = 1;
		$s->recv($answer, 100) if select $r, undef, undef, 1;
		return $answer ne '';
	});
	return $answer;
    }, want => qr/^ping/;
case 'container to host', do => sub {
	my ($c) = @_;
	my $n = $c->network('n', '--subnet', "$net.0/24", '--gateway', "$net.1");
	my $listener = IO::Socket::INET->new(Listen => 1, LocalAddr => "$net.1",
	    Proto => 'tcp') or die "listen: $!";
	my $p = $c->start(['--network', $n], ['sh', '-c',
		"probe write 1 5000000 | nc -w 30 $net.1 " . $listener->sockport]);
	my $r = '';
	vec($r, fileno $listener, 1) = 1;
	select($r, undef, undef, 90) or die 'nobody came: ' . $p->err;
	my $peer = $listener->accept;
	my ($sum, $total, $data) = (Digest::MD5->new, 0);
	while (my $n = sysread $peer, $data, 65536) {
		$sum->add($data);
		$total += $n;
	}
	return $peer->peerhost . " $total " . $sum->hexdigest;
    }, want => qr/$net.2 5000000/;
case 'container to container: 20 MB', timeout => 300, do => sub {
	my ($c) = @_;
	my $n = $c->network('n', '--subnet', "$net.0/24");
	my $peer = $c->detach(['--network', $n, '--ip', "$net.20"], ['sh', '-c',
		'mkdir /w; probe write 1 20000000 >/w/big; echo ready; exec httpd -f -p 80 -h /w'],
	    $c->name('peer'));
	$c->logs_match(qr/ready/, 120, $peer);
	return $c->run(['--network', $n], TEST_IMAGE, ['sh', '-c',
		"wget -q -O - http://$net.20/big | md5sum"])->out;
    }, want => qr/[0-9a-f]{32}/;
case 'ping between containers, both ways', do => sub {
	my ($c) = @_;
	my $n = $c->network('n', '--subnet', "$net.0/24");
	my $peer = $c->detach(['--network', $n, '--ip', "$net.20"], ['sh', '-c',
		"echo ready; until ping -c 1 -W 2 $net.21 >/dev/null; do :; done; echo reached; exec sleep 1000"],
	    $c->name('peer'));
	$c->logs_match(qr/ready/, 90, $peer);
	my $p = $c->detach(['--network', $n, '--ip', "$net.21"], ['sh', '-c',
		"until ping -c 1 -W 2 $net.20 >/dev/null; do :; done; echo reached; exec sleep 1000"]);
	return $c->logs_match(qr/reached/) . $c->logs_match(qr/reached/, 60, $peer);
    }, want => qr/reachedreached/;
case '--expose and -P', do => sub {
	my ($c) = @_;
	my $name = $c->detach(['--expose', '81', '-P'], ['sh', '-c',
		'mkdir /w; echo exposed >/w/index.html; echo ready; exec httpd -f -p 81 -h /w']);
	$c->logs_match(qr/ready/);
	my ($port) = docker_ok('port', $name, '81') =~ /:(\d+)$/m;
	return run(['curl', '-sS', '-m', '60', '--retry', '20',
		'--retry-all-errors', '--retry-delay', '1',
		"http://127.0.0.1:$port/"])->out;
    }, want => qr/exposed/;
case 'NET_ADMIN: an address and a route can be added', do => sub {
	my ($c) = @_;
	my $p = $c->run(['--cap-add', 'NET_ADMIN'], TEST_IMAGE, ['sh', '-c',
		'ip addr add 192.0.2.9/24 dev eth0 && ip route add 198.51.100.0/24 via 192.0.2.1 && ip route | grep 198']);
	return $p->code . $p->out . $p->err;
    }, want => qr/0198.51.100.0/;
case 'without NET_ADMIN nothing can be changed',
    cmd => ['sh', '-c', 'ip link set eth0 down; ip addr add 192.0.2.9/24 dev eth0'],
    code => 2, want => qr/not permitted/;

run_cases();
