#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# resolv.conf, and Docker's own DNS server (127.0.0.11) on user-defined
# networks: peers, aliases, addresses, names outside; UDP and TCP.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;
use E2E;
use E2E::Dns;

need_runq();

my $number = 0;
my $runtime_args = runtime_args();

# The path and arguments of the runtime under test, for one more like it.
sub runtime_args {
	my $config = JSON::PP::decode_json(slurp('/etc/docker/daemon.json'));
	my $r = $config->{runtimes}{$RUNTIME} or die "no runtime $RUNTIME";

	return [$r->{path}, @{ $r->{runtimeArgs} || [] }];
}

sub name { return "$PREFIX-" . ++$number }

sub network {
	my (@opts) = @_;
	my $name = name();

	docker_ok('network', 'create', '--label', "runq-e2e=$PREFIX", @opts,
	    $name);
	return $name;
}

sub vm {
	my ($opts, @cmd) = @_;

	return docker('run', '--rm', run_args($RUNTIME, name()), @$opts,
	    TEST_IMAGE, @cmd);
}

sub resolv_is {
	my ($opts, $want, $what) = @_;
	my $p = vm($opts, 'cat', '/etc/resolv.conf');

	is $p->out, $want, $what or diag $p->err;
}

# ---- resolv.conf: variables, then options, then Docker's ----
resolv_is(['-e', 'RUNQ_DNS=192.0.2.1,2001:db8::1'],
    "nameserver 192.0.2.1\nnameserver 2001:db8::1\n", 'RUNQ_DNS');
resolv_is(['-e', 'RUNQ_DNS=192.0.2.1', '-e', 'RUNQ_DNS_OPT=ndots:3,timeout:1',
	'-e', 'RUNQ_DNS_SEARCH=a.test,b.test'],
    "search a.test b.test\nnameserver 192.0.2.1\noptions ndots:3 timeout:1\n",
    'RUNQ_DNS_OPT, RUNQ_DNS_SEARCH');
resolv_is(['-e', 'RUNQ_DNS=192.0.2.1', '-e', 'RUNQ_DNS_OPTS=rotate'],
    "nameserver 192.0.2.1\noptions rotate\n", 'RUNQ_DNS_OPTS');
{
	my ($path, @args) = @$runtime_args;
	my $plain = $RUNTIME;

	register_runtime("$PREFIX-dns", $path, @args, '--dns',
	    '198.51.100.1,198.51.100.2', '--dns-opts', 'ndots:1',
	    '--dns-search', 'global.test', '--runqenv', '--tmpfs',
	    '/scratch');
	$RUNTIME = "$PREFIX-dns";
	resolv_is([], "search global.test\nnameserver 198.51.100.1\n" .
	    "nameserver 198.51.100.2\noptions ndots:1\n",
	    '--dns, --dns-opts, --dns-search of the runtime');
	resolv_is(['-e', 'RUNQ_DNS=192.0.2.9'],
	    "search global.test\nnameserver 192.0.2.9\noptions ndots:1\n",
	    'a variable goes before the option of its kind alone');
	# the other options of the kind that daemon.json has
	my $p = vm(['-e', 'A=b c'], 'sh', '-c',
	    'grep ^A= /.runqenv; stat -c %a /.runqenv; stat -f -c %T /scratch; grep -c " /scratch tmpfs" /proc/mounts');
	is $p->out, "A=b c\n600\ntmpfs\n1\n", '--runqenv and --tmpfs'
	    or diag $p->err;
	is vm(['-e', 'RUNQ_RUNQENV=0'], 'ls', '/.runqenv')->code, 1,
	    'RUNQ_RUNQENV=0 goes before --runqenv';
	is vm(['--read-only'], 'sh', '-c', 'touch /scratch/x && echo ok')->out,
	    "ok\n", '--tmpfs with --read-only';
	register_runtime("$PREFIX-keep", $path, @args, '--dns',
	    '198.51.100.1', '--dns-preserve');
	$RUNTIME = "$PREFIX-keep";
	resolv_is(['--dns', '203.0.113.5'], "nameserver 203.0.113.5\n",
	    '--dns-preserve keeps what Docker wrote');
	$RUNTIME = $plain;
	my $env = vm(['-e', 'RUNQ_RUNQENV=1', '-e', "X=two\nlines"], 'cat',
	    '/.runqenv')->out;
	like $env, qr/^PATH=/m, 'RUNQ_RUNQENV=1: PATH';
	like $env, qr/^X=two\nlines$/m, 'RUNQ_RUNQENV=1: a value of two lines';
}
for my $wrong ('8.8.8', '1.2.3.4;reboot', "1.2.3.4\nnameserver 6.6.6.6", 'a b') {
	my $p = vm(['-e', "RUNQ_DNS=$wrong"], 'echo', 'runs');

	isnt $p->code, 0, 'a wrong RUNQ_DNS is refused';
	like $p->err, qr/RUNQ_DNS.*addresses/s, 'with words';
}
like vm(['-e', 'RUNQ_DNS=proxy'], 'true')->err,
    qr/proxy.*user-defined network/, 'a name as RUNQ_DNS on the default network';

# ---- Docker's DNS server ----
my $net = network('--subnet', '10.231.40.0/24', '--gateway', '10.231.40.1');
my $server = E2E::Dns->start('10.231.40.1');
my @on = ('--network', $net, '--dns', '10.231.40.1');
my ($vm, $reference) = (name(), name());
docker_ok('run', '-d', run_args($RUNTIME, $vm), @on, '--network-alias',
    'web', '--ip', '10.231.40.10', TEST_IMAGE, 'sh', '-c',
    'mkdir /w; echo page >/w/index.html; echo ready; exec httpd -f -p 80 -h /w');
docker_ok('run', '-d', run_args($REFERENCE, $reference), @on,
    '--network-alias', 'web', '--ip', '10.231.40.11', TEST_IMAGE, 'probe',
    'hold');
ok eventually(60, sub { docker('logs', $vm)->out =~ /ready/ }), 'a peer';

# Queries in a guest, [name, type] each, by that kind of socket: the answers.
sub queries {
	my ($mode, $opts, @queries) = @_;
	my $dir = tempdir();
	my $id = 0x1000;
	my $tcp = $mode eq 'tcp';
	my $script = '';

	for (@queries) {
		my $query = dns_query(++$id, @$_);
		spew("$dir/$id", $tcp ? pack 'n/a', $query : $query);
		$script .= "probe ask $mode 127.0.0.11 </q/$id >/q/$id.out; ";
	}
	my $p = vm([@on, '-v', "$dir:/q", @$opts], 'sh', '-c', $script);
	my $mapped = $mode eq 'mapped' ? '::ffff:' : '';
	is $p->err, "from ${mapped}127.0.0.11 port 53\n" x @queries,
	    "$mode: port 53 answers";
	my @answers;
	for (0x1001 .. $id) {
		my $data = slurp("$dir/$_.out") // '';
		$data = substr $data, 2 if $tcp && length $data > 2;
		my $m = length $data > 12 ? eval { dns_parse($data) } : undef;
		diag 'no answer: ', unpack('H*', $data), $p->err if !$m;
		push @answers, $m // { answers => [], rcode => -1, tc => -1,
		    id => 0 };
	}
	return @answers;
}

for my $mode ('connected', 'mapped') {
	my ($m) = queries($mode, [], [$vm, 1]);
	is_deeply $m->{answers}, ['10.231.40.10'], "a $mode socket";
}
for my $tcp (0, 1) {
	my $over = $tcp ? 'TCP' : 'UDP';
	my @m = queries(lc $over, ['--ip', '10.231.40.12', '--network-alias', 'me'],
	    [$vm, 1], [$reference, 1], ['web', 1], ['me', 1],
	    ['10.40.231.10.in-addr.arpa', 12], ['11.40.231.10.in-addr.arpa', 12],
	    ['x.outside.test', 1], ['whoami.outside.test', 1],
	    ['big.outside.test', 16], ['no.such.name', 1], [$vm, 28]);

	is $m[0]{id}, 0x1001, "$over: the answer is the query's";
	is_deeply $m[0]{answers}, ['10.231.40.10'], "$over: a runq peer";
	is_deeply $m[1]{answers}, ['10.231.40.11'], "$over: a runc peer";
	is_deeply [sort @{ $m[2]{answers} }], ['10.231.40.10', '10.231.40.11'],
	    "$over: an alias of two";
	is_deeply $m[3]{answers}, ['10.231.40.12'], "$over: itself by alias";
	like "@{ $m[4]{answers} }", qr/^\Q$vm\E\./, "$over: an address of runq";
	like "@{ $m[5]{answers} }", qr/^\Q$reference\E\./,
	    "$over: an address of runc";
	is_deeply $m[6]{answers}, ['192.0.2.77'], "$over: a name outside";
	is_deeply $m[7]{answers}, ['10.231.40.12'],
	    "$over: asked from the container's own address";
	if ($tcp) {
		is length join('', @{ $m[8]{answers} }), 20 * 201,
		    'TCP: a large answer';
	} else {
		is $m[8]{tc}, 1, 'UDP: a large answer is truncated';
	}
	is $m[9]{rcode}, 3, "$over: NXDOMAIN of the server outside";
	is "$m[10]{rcode} @{ $m[10]{answers} }", '0 ',
	    "$over: no IPv6 address is no error";
}

# As compose files have it: services that find each other by name.
{
	my $p = vm([@on], 'sh', '-c',
	    "wget -q -O - http://$vm/; wget -q -O - http://web.$net/ || wget -q -O - http://$vm.$net/; cat /etc/resolv.conf");
	is $p->out, "page\npage\nnameserver 127.0.0.11\noptions ndots:0\n",
	    'runq finds runq by name' or diag $p->err;
	$p = docker('exec', $reference, 'wget', '-q', '-O', '-', "http://$vm/");
	is $p->out, "page\n", 'runc finds runq by name' or diag $p->err;
	$p = docker('run', '--rm', run_args($RUNTIME, name()), @on,
	    '--link', "$vm:db", TEST_IMAGE, 'wget', '-q', '-O', '-', 'http://db/');
	is $p->out, "page\n", '--link on a user-defined network' or diag $p->err;
}
{
	my $late = name();
	my $q = start(['docker', 'run', '--rm', '-i', run_args($RUNTIME, name()),
		@on, TEST_IMAGE, 'sh', '-c', "echo up; read x; ping -c 1 -W 10 $late | grep -c '64 bytes'"], stdin => 'hold');
	ok $q->expect(qr/up/, 60), 'a container before its peer';
	docker_ok('run', '-d', run_args($REFERENCE, $late), @on, TEST_IMAGE,
	    'probe', 'hold');
	$q->send("go\n");
	is $q->finish(60), 0, 'ends';
	like $q->out, qr/^1$/m, 'a peer that came later is found';
}

# ---- the container has port 53 to itself ----
{
	my $p = vm([@on], 'sh', '-c', 'echo hello >/tmp/a; nc -l -p 53 </tmp/a >/tmp/b & probe udp 53 >/tmp/c &
	    for i in $(seq 100); do [ $(netstat -lntu | grep -cE "(0.0.0.0|::):53 ") = 2 ] && break; sleep 0.2; done
	    netstat -lntu | grep -cE "(0.0.0.0|::):53 "; nc -w 5 127.0.0.1 53 </dev/null; nslookup web >/dev/null && echo resolved; ip link | grep -c ^[0-9]');
	like $p->out, qr/^2\nhello\nresolved\n/, 'a DNS server of its own'
	    or diag $p->err;
}

# ---- a server that does not answer, and many queries at once ----
{
	my $p = vm([@on], 'sh', '-c',
	    'nslookup -type=a silent.outside.test; nslookup -type=a web');
	like $p->out, qr/10\.231\.40\.11/, 'a silent server stops nobody else';
	my @many = map { "x$_.outside.test" } 1 .. 40;
	$p = vm([@on], 'sh', '-c',
	    "for n in @many; do nslookup -type=a \$n >/tmp/\$n & done; wait; grep -l 192.0.2.77 /tmp/x* | wc -l");
	is $p->out, "40\n", 'forty at once' or diag $p->err;
}

# ---- a DNS proxy by name ----
{
	my $p = vm(['--network', $net, '-e', "RUNQ_DNS=$vm,192.0.2.1,$reference"],
	    'cat', '/etc/resolv.conf');
	is $p->out, "nameserver 10.231.40.10\nnameserver 192.0.2.1\nnameserver 10.231.40.11\n",
	    'RUNQ_DNS with names of containers' or diag $p->err;
	$p = vm([@on, '-e', 'RUNQ_DNS=nobody-here'], 'true');
	is $p->code, 125, 'a name that nobody has: 125';
	like $p->err, qr/nobody-here/, 'and the name';
}

# ---- elsewhere nothing changes ----
is vm([], 'netstat', '-lntu')->out =~ tr/\n//, 2,
    'nothing listens in a container of the default network';
done_testing();
