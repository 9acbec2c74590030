#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# --rootfs 9p, --9pcache, RUNQ_9PCACHE: the image and volumes by 9p, its server
# and what that may do, and rows of the parity table under it.
use strict;
use warnings;
use Digest::MD5;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

need_runq();

my $number = 0;
my @accel = $RUNTIME eq 'runq' ? () : ('--accel', 'tcg');
my $ninep = "$PREFIX-9p";
my $loose = "$PREFIX-9ploose";
my $dir = tempdir();
my @tmpfs;

register_runtime($ninep, $RUNQ, @accel, '--rootfs', '9p');
register_runtime($loose, $RUNQ, @accel, '--rootfs', '9p', '--9pcache',
    'loose');

sub name { return "$PREFIX-" . ++$number }

sub vm {
	my ($opts, @cmd) = @_;

	return docker(['run', '--rm', run_args($ninep, name()), @$opts,
		TEST_IMAGE, @cmd], timeout => 240);
}

sub script { return ('sh', '-ec', join "\n", @_) }

# ---- files, as the container and the host see them ----
sub volume_files {
	mkdir "$dir/$_" for 'rw', 'ro', 'rw/sub';
	spew("$dir/ro/f", "from the host\n");
	spew("$dir/file", "one file\n");
	spew("$dir/rofile", "not to be changed\n");
	spew("$dir/rw/big", join '', map { chr $_ * $_ % 251 } 1 .. 3_000_000);
}

volume_files();
{
	my $big = Digest::MD5::md5_hex(slurp("$dir/rw/big"));
	my $p = vm(['-v', "$dir/rw:/rw", '-v', "$dir/ro:/ro:ro", '-v',
		"$dir/file:/etc/one", '-v', "$dir/rofile:/etc/two:ro"],
	    script('uname -r', 'grep -E " (/|/rw|/ro|/etc/one|/lib/modules) " /proc/mounts',
		'ls -d /lib/modules/$(uname -r)/kernel',
		'echo; md5sum </rw/big; cp /rw/big /copy; md5sum </copy; cp /copy /rw/copy',
		'cat /ro/f /etc/one', 'echo more >>/etc/one',
		'touch /ro/x || :; rm /ro/f || :; chmod 0 /ro/f || :; echo x >/etc/two || :',
		'mkdir -m 2750 /rw/d; echo text >/rw/d/a; ln /rw/d/a /rw/b; ln -s d/a /rw/s',
		'chown 1234:5678 /rw/d/a; chmod 4751 /rw/b; mv /rw/d/a /rw/d/c; cat /rw/s || :',
		'probe setxattr /rw/b user.color blue; mkfifo /rw/fifo',
		'mv /rw/sub /rw/d/moved; rmdir /rw/d/moved; touch -d "2001-02-03 04:05:06" /rw/old',
		'probe stat /rw/b /rw/fifo; touch /etc/new; probe stat /etc'));

	is $p->code, 0, 'a container by 9p' or diag $p->err;
	like $p->out, qr/^(\S+)\n.*^\/lib\/modules\/\1\/kernel$/ms,
	    'the modules of its kernel';
	for my $at ('/', '/rw', '/etc/one', '/lib/modules') {
		my ($line) = $p->out =~ m{^(\S+ \Q$at\E .*)$}m;
		like $line // '', qr/ 9p (rw|ro).*trans=virtio/, "9p at $at";
	}
	like $p->out, qr{^\S+ / 9p \S*\bmmap\b}m, 'cache mmap by default';
	like $p->out, qr/^$big  -\n$big  -$/m, 'a large file is read, copied';
	is Digest::MD5::md5_hex(slurp("$dir/rw/copy") // ''), $big,
	    'and written to the host';
	like $p->out, qr/^from the host\none file$/m, 'read-only and file volumes';
	is slurp("$dir/file"), "one file\nmore\n", 'a file volume is written';
	is slurp("$dir/ro/f"), "from the host\n", 'a read-only one is not';
	is slurp("$dir/rofile"), "not to be changed\n", 'nor such a file';
	is(() = $p->err =~ /Read-only file system/g, 4, 'EROFS each time')
	    or diag $p->err;
	like $p->out, qr{^/rw/b: mode 104751 owner 1234:5678 links 2 size 5 user\.color\(4\)$}m,
	    'owner, mode, links, xattr inside';
	like $p->out, qr{^/etc: mode 40755 owner 0:0$}m,
	    'overlayfs keeps its attributes to itself' or diag $p->out;
	my @st = stat "$dir/rw/b";
	is sprintf('%o %d:%d %d', @st[2, 4, 5, 3]), '104751 1234:5678 2',
	    'the same on the host';
	is((stat "$dir/rw/d/c")[1], $st[1], 'a hard link is one file');
	is readlink "$dir/rw/s", 'd/a', 'a symbolic link';
	ok -p "$dir/rw/fifo", 'a FIFO';
	is((stat "$dir/rw/old")[9], 981173106, 'a time that was set');
	ok !-e "$dir/rw/sub", 'a folder that was moved and removed';
}

# ---- several file systems ----
# Fresh ones give their files the same inode numbers.
sub mount_tmpfs {
	my ($at) = @_;

	mkdir $at or die "$at: $!";
	run(['mount', '-t', 'tmpfs', 'runq-e2e', $at])->code eq '0'
	    or die "mount $at";
	push @tmpfs, $at;
	spew("$at/f", "in $at\n");
	link "$at/f", "$at/g";
}

END { run(['umount', $_]) for @tmpfs }

mount_tmpfs("$dir/$_") for 't1', 't2';
is((stat "$dir/t1/f")[1], (stat "$dir/t2/f")[1], 'the same inode on the host');
{
	my $p = vm(['-v', "$dir/t1:/t1", '-v', "$dir/t2:/t2"],
	    script('stat -c %i /t1/f /t1/g /t2/f /t2/g',
		'tar c -C / t1/f t1/g t2/f t2/g 2>/dev/null | tar x -O | sort',
		'touch /marker; stat -c %i /marker'));
	my @ino = split /\n/, $p->out;

	is $ino[0], $ino[1], 'hard links of one file system stay such';
	is $ino[2], $ino[3], 'those of the other, too';
	isnt $ino[0], $ino[2], 'but never across';
	like $p->out, qr{^in \S+/t1\nin \S+/t2$}m,
	    'an archive of both has both' or diag $p->err;
}

# ---- --read-only, docker cp ----
{
	my $name = name();
	my $p = start(['docker', 'run', run_args($ninep, $name), '--read-only',
		'--tmpfs', '/tmp', TEST_IMAGE, 'sh', '-c', 'touch /x; mv /bin/sh /bin/x;
		echo y >/tmp/y && cat /tmp/y; mount -o remount,rw /; touch /z; echo done']);

	is $p->finish(120), 0, '--read-only';
	is(() = $p->err =~ /Read-only file system/g, 3, 'nothing is written')
	    or diag $p->err;
	like $p->out, qr/^y\ndone$/m, 'but a tmpfs is';
}
{
	my $name = name();
	my $p = start(['docker', 'run', run_args($ninep, $name), TEST_IMAGE,
		'sh', '-c', 'echo inside >/made; echo ready;
		until [ -e /tmp/in ]; do usleep 50000; done; cat /tmp/in']);

	ok defined $p->expect(qr/ready/, 120), 'docker cp: it runs'
	    or diag $p->err;
	spew("$dir/in", "by docker cp\n");
	docker_ok('cp', "$dir/in", "$name:/tmp/in");
	docker_ok('cp', "$name:/made", "$dir/out");
	is $p->finish(60), 0, 'docker cp into it';
	like $p->out, qr/by docker cp/, 'is seen';
	is slurp("$dir/out"), "inside\n", 'docker cp out of it';
}

# ---- options ----
{
	my @show = (TEST_IMAGE, 'grep', ' / ', '/proc/mounts');
	my $p = docker('run', '--rm', run_args($loose, name()), @show);

	like $p->out, qr/ 9p \S*\bloose\b/, '--9pcache loose' or diag $p->err;
	$p = docker('run', '--rm', run_args($loose, name()), '-e',
	    'RUNQ_9PCACHE=fscache', @show);
	like $p->out, qr/ 9p \S*\bfscache\b/, 'RUNQ_9PCACHE goes before it'
	    or diag $p->err;
	$p = docker('run', '--rm', run_args($loose, name()), '-e',
	    'RUNQ_9PCACHE=none', @show);
	like $p->out, qr/ 9p (?!\S*(loose|mmap|fscache))\S*trans=virtio/,
	    'also by none' or diag $p->err;
	$p = docker('run', '--rm', run_args($loose, name()), '-e',
	    'RUNQ_9PCACHE=readahead', @show);
	like $p->err, qr/RUNQ_9PCACHE: "readahead", must be none, mmap, loose or fscache/,
	    'a mode that the guest does not know is refused';
}

# ---- a distribution ----
SKIP: {
	skip 'no image ' . DEBIAN_IMAGE . ' (mmdebstrap is missing)', 2
	    if !inspect(DEBIAN_IMAGE);
	my $p = docker(['run', '--rm', run_args($ninep, name()), '-e',
		'RUNQ_MEM=512', DEBIAN_IMAGE, 'bash', '-ec', 'cd /tmp
		dpkg --verify libc6; apt-get --version | head -1
		tar c /etc | tar x; diff -r --no-dereference /etc etc && echo same
		useradd -m tester; su tester -c "touch ~/own; stat -c %U ~/own"
		mkdir -p p/DEBIAN p/opt; echo packed >p/opt/it
		printf "Package: it\\nVersion: 1\\nArchitecture: all\\nMaintainer: x\\nDescription: x\\n" >p/DEBIAN/control
		dpkg-deb -b p it.deb >/dev/null; dpkg -i it.deb >/dev/null; cat /opt/it'],
	    timeout => 300);
	is $p->code, 0, 'Debian' or diag $p->err;
	like $p->out, qr/^apt .*^same\ntester\npacked\n/ms, 'works' or diag $p->out;
}

# ---- the server ----
sub status_of {
	my ($pid) = @_;

	return { map { /^(\w+):\s+(.*)/ } split /\n/, slurp("/proc/$pid/status") };
}

{
	my $name = name();
	my $p = start(['docker', 'run', run_args($ninep, $name), '-v',
		"$dir/ro:/ro:ro", TEST_IMAGE, 'probe', 'hold']);

	ok defined $p->expect(qr/ready/, 120), 'the server: it runs'
	    or diag $p->err;
	my $id = inspect($name)->{Id};
	my $pids = container_pids($name);
	my ($server) = grep { $pids->{$_} eq 'ninepd' } keys %$pids;
	my ($qemu) = grep { $pids->{$_} =~ /qemu/ } keys %$pids;
	ok defined $server, 'there is one' or diag join ' ', values %$pids;
	ok !(grep { /virtiofsd/ } values %$pids), 'and no virtiofsd';

	my $s = status_of($server);
	# chown, dac_override, fowner, fsetid, setgid, setuid, mknod, setfcap
	is hex $s->{CapEff}, 0x880000db, 'it has eight capabilities';
	is hex $s->{CapPrm}, 0x880000db, 'and can have no other';
	is hex $s->{CapBnd}, 0, 'nor gain any';
	is "$s->{NoNewPrivs} $s->{Seccomp}", '1 2', 'it has a filter';
	isnt readlink "/proc/$server/ns/net", readlink "/proc/$qemu/ns/net",
	    'a network of its own';
	is join(' ', sort map { s/.*\///r } glob "/proc/$server/root/*"),
	    'modules rootfs vol', 'only the share';
	my @mounts = map { (split)[5] } split /\n/,
	    slurp("/proc/$server/mountinfo");
	ok !(grep { !/nosuid/ || !/nodev/ || !/noexec/ } @mounts),
	    'and all of it nosuid, nodev, noexec' or diag "@mounts";
	ok scalar(@mounts) >= 3, 'as several mounts';

	$s = status_of($qemu);
	like $s->{Uid}, qr/^64061\s+64061\s+64061\s+64061$/,
	    'QEMU is nobody\'s user';
	is hex $s->{CapEff}, 0, 'without capabilities';

	kill 'KILL', $server;
	my $code = $p->finish(60);
	is $code, 125, 'killed: the container ends';
	like $p->err, qr/^runq: ninepd was killed by signal 9 \(Killed\): the container lost its root file system$/m,
	    'with a sentence';
	docker('rm', '-f', $name);
	my @left;
	eventually(10, sub { !(@left = leftovers($id)) });
	is "@left", '', 'and nothing is left';
}

# The server ends with QEMU, but is not to blame.
{
	my $name = name();
	my $p = start(['docker', 'run', run_args($ninep, $name), TEST_IMAGE,
		'sh', '-c', 'echo ready; while :; do cat /bin/busybox >/tmp/b;
		ls -l /bin; done >/dev/null']);

	ok defined $p->expect(qr/ready/, 120), 'QEMU: it runs'
	    or diag $p->err;
	my $pids = container_pids($name);
	kill 'KILL', grep { $pids->{$_} =~ /qemu/ } keys %$pids;
	is $p->finish(60), 125, 'killed: the container ends';
	like $p->err, qr/^runq: QEMU was killed by signal 9 \(Killed\)$/m,
	    'with a sentence';
	docker('rm', '-f', $name);
}

# The image directory without one file.
sub without {
	my ($label, $file) = @_;
	my $copy = "$dir/$label";

	run(['cp', '-al', "$E2E::HOME/qemu", $copy])->code eq '0'
	    or die 'cp -al';
	unlink glob "$copy/$file" or die "$file: $!";
	register_runtime("$PREFIX-$label", $RUNQ, @accel, '--rootfs', '9p',
	    '--image-dir', $copy);
	return docker('run', '--rm', run_args("$PREFIX-$label", name()),
	    TEST_IMAGE, 'true');
}

{
	my $p = without('noserver', 'sbin/ninepd');

	like $p->err, qr/ninepd: exec \S+: No such file/,
	    'without the server: a sentence';
	isnt $p->code, 0, 'and a status';
	$p = without('nokernel', 'boot/*-9p');
	like $p->err, qr/boot.vmlinux-\S+-9p: .*No such file/,
	    'without its kernel: a sentence';
	isnt $p->code, 0, 'and a status';
}

# ---- the parity table ----
{
	my $rows = join '|', 'xattrs, hard links', 'layers',
	    'checked for a user', 'chown by root', 'docker diff$',
	    'stay writable', 'host writes', 'a file$', 'nested', 'chain';
	my $p = run([$^X, "$FindBin::Bin/parity-files.t"], timeout => 900,
	    env => { RUNQ_E2E_RUNTIME => $ninep, RUNQ_E2E_CASE => $rows });
	my @failed = $p->out =~ /^not ok \d+ - (.*)$/mg;
	my $passed = () = $p->out =~ /^ok \d+/mg;

	is $p->code, 0, 'the same as runc' or diag $p->err;
	is "@failed", '', 'in every row';
	cmp_ok $passed, ">=", 9, "of $passed";
}

done_testing();
