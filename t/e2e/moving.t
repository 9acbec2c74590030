#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Who comes from the original runq keeps the paths, daemon.json and variables
# of its documents: certificates in the image folder, made with openssl's
# defaults, stay out of every container's sight, and nothing is refused.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

need_runq();

my $dir = tempdir();
my @accel = ('--accel', 'tcg');
my $number = 0;

sub vm {
	my ($runtime, $opts, @cmd) = @_;

	return docker('run', '--rm', run_args($runtime, "$PREFIX-" . ++$number),
	    @$opts, TEST_IMAGE, @cmd);
}

# ---- certificates in the image folder ----
# Hard links: an image folder of the test's own, without its megabytes.
is run(['cp', '-al', "$E2E::HOME/qemu", "$dir/qemu"])->code, 0,
    'an image folder of our own';
ok -l "$dir/qemu/certs", 'its certs is a link to those beside it';
ok -x "$dir/qemu/mkcerts.sh", 'and mkcerts.sh is there';
unlink "$dir/qemu/certs";
is run(['sh', '-c', <<'END', 'sh', $dir])->code, 0, 'certificates';
set -e
cd "$1"
mkdir -m 700 qemu/certs
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=ca \
    -keyout ca-key.pem -out qemu/certs/ca.pem
leaf() { # NAME USAGE FOLDER
	openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" \
	    -keyout "$3/key.pem" -out "$1.csr"
	echo "extendedKeyUsage = $2" >"$1.cnf"
	openssl x509 -req -days 30 -in "$1.csr" -CA qemu/certs/ca.pem \
	    -CAkey ca-key.pem -CAcreateserial -extfile "$1.cnf" \
	    -out "$3/cert.pem"
}
leaf server serverAuth qemu/certs
leaf client clientAuth .
chmod 400 qemu/certs/*
END
my $own = "$PREFIX-own";
register_runtime($own, $RUNQ, @accel, '--image-dir', "$dir/qemu");
my $name = "$PREFIX-certs";
docker_ok('run', '-d', run_args($own, $name), TEST_IMAGE, 'sleep', '1000000');
my @exec = ("$E2E::HOME/runq-exec", '-c', "$dir/cert.pem", '-k',
    "$dir/key.pem", '--tlscacert', "$dir/qemu/certs/ca.pem", $name);
my $p = run([@exec, 'echo', 'hello']);
is $p->out, "hello\n", 'runq-exec with these certificates' or diag $p->err;
my $pid = container_pid($name);
ok -d "/proc/$pid/root/usr", 'the root of the container can be seen';
is run(['find', "/proc/$pid/root/certs/", '-type', 'f'])->out, '',
    'the server\'s key cannot';
is run([@exec, 'sh', '-c', 'find / -xdev -name key.pem'])->out, '',
    'nor in the VM';
docker_ok('rm', '-f', $name);

# ---- daemon.json ----
my $old = "$PREFIX-old";
register_runtime($old, $RUNQ, @accel, '--cpu', '1', '--mem', '256',
    '--dns', '8.8.8.8,8.8.4.4', '--dns-opts', 'timeout:2',
    '--dns-search', 'example.com', '--tmpfs', '/tmp', '--noexec',
    '--runqenv', '--nestedvm', '--sigusr');
$p = vm($old, [], 'sh', '-c', 'cat /etc/resolv.conf /.runqenv;' .
    'grep " /tmp " /proc/mounts');
is $p->code, 0, 'every option of its daemon.json' or diag $p->err;
is $p->err, '', 'without a warning';
like $p->out, qr/^nameserver 8\.8\.8\.8\nnameserver 8\.8\.4\.4$/m, '--dns';
like $p->out, qr/^options timeout:2$/m, '--dns-opts';
like $p->out, qr/^search example\.com$/m, '--dns-search';
like $p->out, qr/^PATH=/m, '--runqenv';
like $p->out, qr/^tmpfs \/tmp tmpfs/m, '--tmpfs';

# ---- variables ----
$p = vm($old, ['-e', 'RUNQ_DNS_PRESERVE=yes', '-e', 'RUNQ_NOEXEC=on',
	'-e', 'RUNQ_RUNQENV=no', '-e', 'RUNQ_CPU=', '-e', 'RUNQ_MEM=',
	'-e', 'RUNQ_SYSTEMD='], 'sh', '-c',
    'cat /etc/resolv.conf; test ! -e /.runqenv && echo none');
is $p->code, 0, 'yes, on, no and nothing as values' or diag $p->err;
is $p->err, '', 'without a warning';
unlike $p->out, qr/8\.8\.4\.4/, 'RUNQ_DNS_PRESERVE';
like $p->out, qr/^none$/m, 'RUNQ_RUNQENV=no';

$p = vm($old, ['-e', 'RUNQ_DNS=1.2.3.4, 5.5.5.5',
	'-e', 'RUNQ_DNS_OPTS=timeout:7 attempts:1',
	'-e', 'RUNQ_DNS_SEARCH=foo.com bar.com'], 'cat', '/etc/resolv.conf');
is $p->out, "search foo.com bar.com\nnameserver 1.2.3.4\n" .
    "nameserver 5.5.5.5\noptions timeout:7 attempts:1\n",
    'lists of words as in resolv.conf' or diag $p->err;

done_testing();
