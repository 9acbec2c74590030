#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Images of s390x on a host of x86_64: the guest's architecture is the image's.
# Streams, network, volumes, disks, exec and what is refused.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::MD5 'md5_hex';
use POSIX ();
use Test::More;
use E2E;

need_runq();
my $home = $E2E::HOME;
my $image = 'runq-e2e-s390x';
plan skip_all => 'this host is ' . (POSIX::uname())[4] . ', not x86_64'
    if (POSIX::uname())[4] ne 'x86_64';
plan skip_all => 'no guests of s390x here: image/setup --guest s390x'
    if !-e "$home/qemu/boot/kernel-s390x";
plan skip_all => "no image $image: t/e2e/image-s390x"
    if docker('image', 'inspect', $image)->code ne '0';
for my $program (qw(mkfs.ext4 debugfs curl)) {
	plan(skip_all => "$program is missing (image/setup --tests)")
	    if !find_program($program);
}

my $dir = tempdir();
my $number = 0;
my @tcg = ('--accel', 'tcg');

# E2E_CASE as in other tests: a part by its name.
sub part {
	my ($name, $do) = @_;
	my $wanted = $ENV{RUNQ_E2E_CASE};

	$do->() if !defined $wanted || $name =~ /$wanted/;
}

# vm([options], command...), or with a last { image, runtime, stdin, pty }.
sub vm {
	my ($opts, @cmd) = @_;
	my %how = ref $cmd[-1] ? %{ pop @cmd } : ();
	my $from = delete $how{image} // $image;
	my $runtime = delete $how{runtime} // $RUNTIME;
	# else docker warns on stderr
	my @platform = $from eq $image ? ('--platform', 'linux/s390x') : ();

	return run(['docker', 'run', '--rm',
		run_args($runtime, "$PREFIX-" . ++$number), @platform, @$opts,
		$from, @cmd],
	    timeout => 300, %how);
}

sub variant {
	my ($label, @args) = @_;

	register_runtime("$PREFIX-$label", $RUNQ, @args);
	return "$PREFIX-$label";
}

sub refused {
	my ($p, $sentence, $what) = @_;

	is $p->code, 125, "$what: refused" or diag $p->out;
	like $p->err, $sentence, "$what: says why";
}

# ---- the process -------------------------------------------------------------
part process => sub {
	my $p = vm(['-e', 'FROM=outside', '-w', '/tmp', '-u', 'app', '-h', 'box'],
	    'sh', '-c', 'uname -m; echo $FROM $PWD $(id -un):$(id -Gn) $(hostname)
	    perl -e "print unpack(q(H*), pack(q(L), 1)), qq(\n)"
	    echo to stderr >&2; script a b; exit 7');
	is $p->code, 7, 'the exit code is the program\'s' or diag $p->err;
	is $p->out, "s390x\noutside /tmp app:app video box\n00000001\n" .
	    "script a b\n",
	    'architecture, environment, folder, user, name, byte order';
	is $p->err, "to stderr\n", 'stderr is separate';

	# the engine's seccomp profile is one for x86_64
	$p = vm([], 'bash', '-c', 'head -c 3000000 /dev/zero |
	    xz -T2 -0 --block-size=1000000 | xz -dc | wc -c
	    unshare -U true; echo $?; grep -c "^Seccomp:.2" /proc/self/status
	    sh -c "kill -TERM \$\$"; exit $?');
	is $p->out, "3000000\n1\n1\n", 'threads start; unshare -U may not';
	like $p->err, qr/unshare.*not permitted/i, 'because of the profile';
	is $p->code, 143, 'a signal ended its last command: 128 + 15';
};

part streams => sub {
	my $bytes = join('', map { chr } 0 .. 255) x 4000;
	my $p = vm(['-i'], 'cat', { stdin => $bytes, sum => 1 });
	is $p->md5, md5_hex($bytes), 'stdin and stdout are 8-bit clean';
	is $p->bytes, length $bytes, 'to their ends';
	$p = vm(['-ti'], 'sh', '-c', 'stty size; tty; exit 5',
	    { pty => [33, 77] });
	is $p->code, 5, '-t: exit code';
	is $p->out, "33 77\r\n/dev/pts/0\r\n", '-t: a terminal of that size';
};

# ---- a server, and all that is done to a running container -----------------------
part server => sub {
	my $net = "$PREFIX-net";
	my $name = "$PREFIX-server";
	docker_ok('network', 'create', '--label', "runq-e2e=$PREFIX", $net);
	docker_ok('run', '-d', run_args($RUNTIME, $name), '--platform',
	    'linux/s390x', '--network', $net,
	    '-p', '127.0.0.1::80', '--health-cmd', 'wget -q -O - 127.0.0.1',
	    '--health-interval', '1s', '--health-timeout', '60s', $image,
	    'sh', '-c', 'trap "echo bye; exit 3" TERM; httpd -p 80 -h /www
	    while :; do sleep 1000 & wait; done');
	my $state = '{{.State.Health.Status}}';
	ok eventually(180, sub {
		docker_ok('inspect', '-f', $state, $name) eq 'healthy' }),
	    'HEALTHCHECK: healthy'
	    or diag docker('inspect', $name)->out;
	my ($port) = docker_ok('port', $name, '80') =~ /:(\d+)$/m;
	is run(['curl', '-s', '-m', '60', "http://127.0.0.1:$port/"])->out,
	    "hello from s390x\n", 'a published port';
	my $get = "ping -c 1 -W 20 $name | grep -c '64 bytes from'
	    wget -q -O - http://$name/; nslookup $name 127.0.0.11 |
	    grep -c '^Name:.*$name'";
	my $want = "1\nhello from s390x\n1\n";
	my $p = vm(['--network', $net], 'sh', '-c', $get);
	is $p->out, $want, 'a peer of s390x, by name' or diag $p->err;
	$p = vm(['--network', $net], 'sh', '-c', $get, { image => TEST_IMAGE });
	is $p->out, $want, 'a peer of x86_64, by name' or diag $p->err;

	$p = docker(['exec', '-i', '-e', 'A=b', '-u', 'app', '-w', '/tmp', $name,
		'sh', '-c', 'uname -m; echo $A $PWD $(id -un); wc -c; echo e >&2
		exit 9'], stdin => 'x' x 100000);
	is $p->out, "s390x\nb /tmp app\n100000\n", 'docker exec';
	is $p->err, "e\n", 'docker exec: stderr';
	is $p->code, 9, 'docker exec: exit code';
	$p = run(['docker', 'exec', '-ti', $name, 'stty', 'size'],
	    pty => [12, 34]);
	is $p->out, "12 34\r\n", 'docker exec -t: a terminal of that size';
	SKIP: {
		skip "no certificates in $home", 2 if !-e "$home/key.pem";
		$p = run(["$home/runq-exec", $name, 'sh', '-c',
			'uname -m; exit 4']);
		is $p->out, "s390x\n", 'runq-exec' or diag $p->err;
		is $p->code, 4, 'runq-exec: exit code';
	}
	is docker(['stop', '-t', '60', $name])->code, 0, 'docker stop';
	is inspect($name)->{State}{ExitCode}, 3, 'a trapped SIGTERM';
	is docker('logs', $name)->out, "bye\n", 'docker logs';
};

# ---- storage ----------------------------------------------------------------------
part storage => sub {
	mkdir "$dir/$_" for qw(rw ro);
	spew("$dir/ro/file", "from the host\n");
	my $ext4 = "$dir/ext4.img";
	run(['sh', '-c', "truncate -s 64M $ext4; mkfs.ext4 -q -F $ext4"]);
	my $p = vm(['-v', "$dir/rw:/rw", '-v', "$dir/ro:/ro:ro", '-v',
		"$ext4:/dev/runq/0001/none/ext4/data", '--tmpfs', '/scratch',
		'--read-only', '--cpus', '2', '-m', '200m'], 'sh', '-c',
	    'cat /ro/file; (>/ro/new) 2>&1 | grep -c Read-only
	    (>/new) 2>&1 | grep -c Read-only; echo t >/scratch/t
	    echo volume >/rw/file; chown 1000:44 /rw/file; ln /rw/file /rw/hard
	    stat -c "%u:%g %h" /rw/hard; echo disk >/data/file
	    readlink /dev/disk/by-runq-id/0001; grep -c "/data ext4" /proc/mounts
	    nproc; awk "/MemTotal/ { print (\$2 > 150000) }" /proc/meminfo
	    ls /lib/modules/$(uname -r)/modules.dep | wc -l');
	is $p->code, 0, 'volumes and a disk: status' or diag $p->err;
	is $p->out, "from the host\n1\n1\n1000:44 2\n../../vda\n1\n2\n1\n1\n",
	    'volumes, a disk, CPUs and memory, modules' or diag $p->err;
	is slurp("$dir/rw/file"), "volume\n", 'the volume on the host';
	is join(':', (stat "$dir/rw/file")[4, 5]), '1000:44', 'its owner';
	is run(['debugfs', '-R', 'cat file', $ext4])->out, "disk\n",
	    'the data are on the disk';
};

# ---- which architecture -----------------------------------------------------------
part arch => sub {
	my $p = vm([], 'uname', '-m', { image => TEST_IMAGE });
	is $p->out, "x86_64\n", 'an image of x86_64, under the same runtime'
	    or diag $p->err;
	my $forced = variant('forced', @tcg, '--arch', 's390x');
	$p = vm(['--entrypoint', '/etc/not-executable'], { runtime => $forced });
	is $p->code, 126, '--arch s390x: what cannot be executed is 126';
	$p = vm([], 'true', { runtime => $forced, image => TEST_IMAGE });
	is $p->code, 1, '--arch s390x: a program of x86_64 does not run';
	like $p->err, qr/exec format error/i, 'because of its format';
	# what the entry point is decides, through links and scripts
	$p = vm(['-v', '/bin/true:/bin/true:ro', '-v', "$dir:/x"],
	    '/bin/true');
	refused($p, qr{host's \S*true, a program for x86_64, .* guest is s390x},
	    'a program of the host as the entry point');
	refused(vm(['--init'], 'true'), qr/--init is for guests/, '--init');
};

part refused => sub {
	my $kvm = variant('kvm', '--accel', 'kvm');
	refused(vm([], 'true', { runtime => $kvm }),
	    qr/--accel kvm: a guest of s390x is emulated on a host of x86_64/,
	    '--accel kvm');
	my $auto = variant('auto', '--accel', 'auto');
	my $p = vm([], 'uname', '-m', { runtime => $auto });
	is $p->out, "s390x\n", '--accel auto: it runs' or diag $p->err;
	like $p->err, qr/a guest of s390x is emulated .* slowly/,
	    'a line says how';

	run(['cp', '-al', "$home/qemu", "$dir/qemu"])->code eq '0' or die 'cp';
	unlink "$dir/qemu/boot/kernel-s390x";
	refused(vm([], 'true', { runtime => variant('without', @tcg,
		    '--image-dir', "$dir/qemu") }),
	    qr/guests of s390x are not installed .* image\/setup --guest s390x/,
	    'guests that are not installed');

	# a header of aarch64, elf(5), is enough
	mkdir "$dir/$_" for qw(image image/bin);
	spew("$dir/image/bin/sh", pack('a4C3x9vvVx40', "\x7fELF", 2, 1, 1, 2,
		183, 1));
	chmod 0755, "$dir/image/bin/sh";
	run(['sh', '-c', "tar -C $dir/image -c . | docker import" .
		" -c 'LABEL runq-e2e=$PREFIX' -c 'CMD [\"/bin/sh\"]' -" .
		" $PREFIX-aarch64"]);
	refused(vm([], '/bin/sh', { image => "$PREFIX-aarch64" }),
	    qr/\/bin\/sh is a program for aarch64; .*installed here: x86_64, s390x/,
	    'an image of aarch64');
};

# ---- its kernel dies -----------------------------------------------------------------
part panic => sub {
	my $p = vm(['--privileged'], 'sh', '-c',
	    'echo c >/proc/sysrq-trigger; sleep 1000');
	isnt $p->code, 0, 'the guest kernel panics: the container ends';
	like $p->err, qr/panic/i, 'the guest kernel panics: says so';
};

done_testing();
