#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A Debian with systemd, as people have it: make release-install, dockerd
# reloaded, modules of the next boot, a reboot, and a container that comes back.
use strict;
use warnings;
use Cwd qw(abs_path);
use FindBin;
use lib "$FindBin::Bin/lib";
use Host outer => 1;
use Host::VM;
use Test::More;

# What is to be seen goes out as lines "KEY: value".
my $before = <<'END';
set -eu
src=$1 build=$2
before=$(systemctl show -P MainPID docker)
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
mkdir -p "$src"
mount --bind /src "$src"
mkdir -p "$build"
mount -t tmpfs build "$build"
tar -C "$build" -xf /job/build.tar
make -s -C "$build" release-install
umount "$build" "$src"
image=/var/lib/runq/image
$image/mkcerts >/dev/null
$image/register runq /var/lib/runq/runq
systemctl reload docker
for i in $(seq 100); do
	docker info -f '{{.Runtimes}}' | grep -q runq && break
	sleep 0.2
done
$image/busybox-image >/dev/null
echo "system: $(systemctl is-system-running || true)"
echo "docker: $(systemctl is-active docker)"
[ "$(systemctl show -P MainPID docker)" = "$before" ] && echo 'reload: same pid'
echo "runtimes: $(docker info -f '{{range $n, $r := .Runtimes}}{{$n}} {{end}}')"
echo vhost_vsock >/etc/modules-load.d/vhost_vsock.conf
echo "check: $(/var/lib/runq/runq check >/tmp/check; echo $?)"
docker run -d --restart always --name back --runtime runq busybox sh -c \
    'echo up; exec sleep 100000' >/dev/null
docker run -d --restart no --name gone --runtime runq busybox sleep 100000 \
    >/dev/null
for i in $(seq 120); do
	docker logs back 2>&1 | grep -q up && break
	sleep 0.5
done
echo "logs: $(docker logs back 2>&1 | tr '\n' ' ')"
sync
END

my $after = <<'END';
echo "docker: $(systemctl is-active docker)"
echo "module: $(lsmod | grep -o '^vhost_vsock')"
for i in $(seq 240); do
	[ "$(docker logs back 2>&1 | grep -c up)" -ge 2 ] && break
	sleep 0.5
done
echo "logs: $(docker logs back 2>&1 | tr '\n' ' ')"
echo "state: $(docker inspect -f '{{.State.Running}} {{.HostConfig.Runtime}}' back)"
echo "other: $(docker inspect -f '{{.State.Running}}' gone)"
echo "exec: $(docker exec back echo works 2>&1)"
echo "accel: $(ps axww -o args | grep -o '[a]ccel=[a-z]*' | head -n 1)"
echo "carrier: $(ps axww -o args | grep -o '[v]host-vsock-pci' | head -n 1)"
echo "check: $(/var/lib/runq/runq check >/tmp/check; echo $?)"
sed 's/^/# /' /tmp/check
docker stop -t 5 back >/dev/null
echo "stopped: $(docker inspect -f '{{.State.Running}}' back)"
END

sub job {
	my ($vm, $dir, $name, $script, @args) = @_;
	my $out = '';

	open my $f, '>', "$dir/$name.sh" or die "$dir/$name.sh: $!";
	print $f $script;
	close $f;
	my ($what, $detail) = $vm->job("bash /job/$name.sh @args", timeout => 900,
	    out => sub { $out .= $_[0] }, err => sub { $out .= $_[0] });
	return "$out$what: $detail\n";
}

# make release, in the build folder; and what of that folder the installation
# needs, at the same place in the test host.
my $build = abs_path($ENV{BUILDDIR} // "$Host::SRC/build");
my $log = "$Host::CACHE/release.log";
system("make -C '$build' release >'$log' 2>&1") == 0 or
    die "make release fails: see $log\n";

sub pack_build {
	my ($tar) = @_;

	system("cd '$build' && find . -path ./s390x -prune -o " .
	    "\\( -name '*.Po' -o -path ./Makefile -o -path ./config.status " .
	    "-o -path './runq-*.tar.gz*' \\) -print0 | " .
	    "tar --null -T - -cf '$tar'") == 0 or die "tar fails\n";
}

# What is said before and after the reboot.
sub boots {
	my ($vm, $dir) = @_;

	$vm->ready(600) or return 'it does not boot';
	my $first = job($vm, $dir, 'before', $before, $Host::SRC, $build);
	return $first if $first !~ /^exit: 0$/m;
	$vm->job('systemctl reboot --no-block');
	$vm->ready(600) or return ($first, 'it does not come back');
	return ($first, job($vm, $dir, 'after', $after));
}

my ($first, $second) = Host::attempts('systemd', sub {
	my ($dir) = @_;
	pack_build("$dir/build.tar");
	my $vm = Host::VM->new(image => readlink
	    "$Host::CACHE/current/image", init => '/sbin/init', reboots => 1,
	    job => $dir, src => $Host::SRC, console => "$dir/console");
	my @said = boots($vm, $dir);
	$vm->keep;
	return ($vm, @said);
});
$second //= '';
note $first, $second;

like $first, qr/^install: .*: runq \d/m, 'a release is installed';
like $first, qr/^docker: active$/m, 'docker.service is active';
like $first, qr/^reload: same pid$/m, 'systemctl reload docker: no restart';
like $first, qr/^runtimes:.* runq /m, 'dockerd knows the runtime';
like $first, qr/^check: 0$/m, 'runq check: all is there';
like $first, qr/^logs: up $/m, 'a container runs';
like $second, qr/^docker: active$/m, 'after a reboot docker.service is active';
like $second, qr/^module: vhost_vsock$/m, 'modules-load.d: vhost_vsock';
like $second, qr/^logs: up up $/m, '--restart always: it started again';
like $second, qr/^state: true runq$/m, 'it runs, by runq';
like $second, qr/^other: false$/m, '--restart no: it does not';
like $second, qr/^exec: works$/m, 'docker exec';
like $second, qr/^accel: accel=kvm$/m, 'KVM';
like $second, qr/^carrier: vhost-vsock-pci$/m, 'vsock';
like $second, qr/^check: 0$/m, 'runq check';
like $second, qr/^stopped: false$/m, 'docker stop';
Host::show("$Host::LOGS/systemd", 'the test failed')
    if !Test::More->builder->is_passing;
done_testing();
