#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Two test hosts on a wire, joined into one swarm, with tasks of runq on both:
# the overlay network and the routing mesh from host to host.
use strict;
use warnings;
use Cwd qw(abs_path);
use FindBin;
use lib "$FindBin::Bin/lib";
use Host outer => 1;
use Host::VM;
use Test::More;

# The two start as one: the same saved state. What must differ is changed, and
# dockerd is started again.
my $become = <<'END';
set -eu
n=$1
hostname "host$n"
echo "10.9.0.$n host$n" >>/etc/hosts
tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
ip link set eth1 address "02:00:00:00:09:0$n"
ip addr add "10.9.0.$n/24" dev eth1
ip link set eth1 up
before=$(docker info -f '{{.ID}}')
pid=$(cat /var/run/docker.pid)
kill "$pid"
while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
rm -f /etc/docker/key.json
perl -MJSON::PP -e '
	local $/;
	open my $f, "<", $ARGV[0];
	my $c = decode_json(<$f>);
	$c->{"default-runtime"} = "runq";
	open $f, ">", $ARGV[0];
	print $f encode_json($c);' /etc/docker/daemon.json
(cd / && exec setsid dockerd --containerd=/run/containerd/containerd.sock \
    >/var/log/dockerd.log 2>&1 </dev/null) &
for i in $(seq 600); do docker info >/dev/null 2>&1 && break; sleep 0.2; done
echo "engine: $(docker info -f '{{.Name}} {{.DefaultRuntime}} {{.ID}}')"
[ "$before" = "$(docker info -f '{{.ID}}')" ] || echo 'ID: another'
END

my %job = (
	init => <<'END',
docker swarm init --advertise-addr 10.9.0.1 >&2
docker swarm join-token -q worker
END
	join => <<'END',
for i in $(seq 30); do ping -c 1 -W 1 10.9.0.1 >/dev/null && break; done
docker swarm join --advertise-addr 10.9.0.2 --token "$1" 10.9.0.1:2377
END
	create => <<'END',
set -e
docker network create -d overlay -o encrypted mesh
docker service create -d --name web --replicas 2 --replicas-max-per-node 1 \
    --network mesh -p 8080:80 --no-resolve-image --env RUNQ_MEM=128 runq-e2e \
    sh -c 'mkdir /w; hostname >/w/index.html; exec httpd -f -p 80 -h /w'
for i in $(seq 400); do
	[ "$(docker service ps -f desired-state=running web \
	    --format '{{.CurrentState}}' | grep -c ^Running)" -ge 2 ] && break
	sleep 0.5
done
docker service ps --no-trunc web >&2
echo "nodes: $(docker service ps -f desired-state=running web \
    --format '{{.Node}}' | sort | tr '\n' ' ')"
END
	# of one host: the task that it has, what it reaches
	look => <<'END',
task=$(docker ps -q --filter label=com.docker.swarm.service.name=web)
for i in $(seq 100); do
	docker exec "$task" test -e /w/index.html && break
	sleep 0.5
done
echo "task: $(docker exec "$task" hostname)"
echo "qemu: $(ps axww -o args | grep -c '[a]ccel=kvm')"
for i in $(seq 60); do
	names=$(docker exec "$task" nslookup tasks.web | grep -c 'Address.*10\.0\.1\.')
	[ "$names" = 2 ] && break
	sleep 1
done
echo "names: $names"
echo "tasks: $(for a in $(docker exec "$task" nslookup tasks.web |
	sed -n 's/^Address.*\(10\.0\.1\.[0-9]*\)$/\1/p'); do
	docker exec "$task" timeout 20 wget -q -O - "http://$a/"
done | sort -u | tr '\n' ' ')"
echo "vip: $(for i in 1 2 3 4; do
	docker exec "$task" timeout 20 wget -q -O - http://web/
done | sort -u | tr '\n' ' ')"
echo "published: $(for i in 1 2 3 4; do
	curl -sS -m 20 "http://10.9.0.$1:8080/"
done | sort -u | tr '\n' ' ')"
echo "other: $(for i in 1 2 3 4; do
	curl -sS -m 20 "http://10.9.0.$((3 - $1)):8080/"
done | sort -u | tr '\n' ' ')"
END
	drain => <<'END',
docker node update --availability drain host2 >&2
docker service update -d --replicas 1 web >&2
for i in $(seq 200); do
	[ "$(docker service ps -f desired-state=running web \
	    --format '{{.Node}} {{.CurrentState}}' | cut -d ' ' -f 1,2)" = \
	    'host1 Running' ] && break
	sleep 0.5
done
echo "nodes: $(docker service ps -f desired-state=running web \
    --format '{{.Node}}' | sort | tr '\n' ' ')"
END
);

# Two VMs as one for Host::attempts().
package Pair {
	sub new { my ($class, @vms) = @_; return bless [@vms], $class }
	sub failed { return (grep { $_ } map { $_->failed } @{ $_[0] })[0] }
	sub stop { $_->stop for @{ $_[0] } }
}

my $said = '';

sub job {
	my ($vm, $name, @args) = @_;
	my $out = '';
	my $script = $name eq 'become' ? $become : $job{$name};

	open my $f, '>', "$vm->{job}/$name.sh" or die "$name.sh: $!";
	print $f $script;
	close $f;
	my ($what, $detail) = $vm->job("bash /job/$name.sh @args",
	    timeout => 900, out => sub { $out .= $_[0] },
	    err => sub { $said .= $_[0] });
	$said .= "== $name @args\n$out$what: $detail\n";
	return $what eq 'exit' && $detail == 0 ? $out : undef;
}

sub once {
	my ($dir) = @_;
	my $wire = "stream,addr.type=unix,addr.path=$dir/wire";
	my (@vms, %got);

	for my $n (1, 2) {
		mkdir "$dir/$n";
		push @vms, Host::VM->new(from => abs_path("$Host::CACHE/current"),
		    job => "$dir/$n", src => $Host::SRC,
		    console => "$dir/$n/console", peers => $n == 1 ?
		    "$wire,server=on" : "$wire,server=off");
	}
	my $pair = Pair->new(@vms);
	my ($one, $two) = @vms;
	for (1) { # last leads out of it
		$got{become1} = job($one, 'become', 1) // last;
		$got{become2} = job($two, 'become', 2) // last;
		$got{token} = job($one, 'init') // last;
		chomp(my $token = $got{token});
		$got{join} = job($two, 'join', $token) // last;
		$got{create} = job($one, 'create') // last;
		$got{look1} = job($one, 'look', 1) // last;
		$got{look2} = job($two, 'look', 2) // last;
		$got{drain} = job($one, 'drain') // last;
	}
	$_->keep for @vms;
	return ($pair, %got);
}

my %got = Host::attempts('swarm2', \&once);
my ($id1, $id2) = map { ($got{"become$_"} // '') =~ /^engine: (.*)$/m } 1, 2;
like $id1, qr/^host1 runq /, 'one engine';
like $id2, qr/^host2 runq /, 'another';
isnt +($id1 =~ / (\S+)$/)[0], +($id2 =~ / (\S+)$/)[0],
    'the two have an ID each';
like $got{join}, qr/joined a swarm as a worker/, 'they are one swarm';
like $got{create}, qr/^nodes: host1 host2 $/m, 'a task on each';
my @names = map { ($got{"look$_"} // '') =~ /^task: (\w+)$/m } 1, 2;
my $both = join ' ', sort(@names), '';
for my $n (1, 2) {
	my $look = $got{"look$n"} // '';
	my %is = map { /^(\w+): (.*)$/ ? ($1 => $2) : () } split /\n/, $look;

	is $is{qemu}, 1, "host $n: its task is a VM";
	is $is{names}, 2, "host $n: tasks.web has two addresses";
	is $is{tasks}, $both, "host $n: its task reaches both";
	is $is{vip}, $both, "host $n: the virtual address leads to both";
	is $is{published}, $both, "host $n: so does its own published port";
	is $is{other}, $both, "host $n: and the other host's";
}
like $got{drain}, qr/^nodes: host1 $/m, 'a host is drained';
if (!Test::More->builder->is_passing) {
	diag $said;
	Host::show("$Host::LOGS/swarm2/$_", "host $_") for 1, 2;
}
done_testing();
