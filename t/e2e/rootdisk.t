#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# RUNQ_ROOTDISK: a disk that is the root, filled from the image at its first
# boot.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

need_runq();
for my $program (qw(mkfs.ext4 debugfs e2fsck losetup)) {
	plan(skip_all => "$program is missing (image/setup --tests)")
	    if !find_program($program);
}

my $dir = tempdir();
my $number = 0;

sub sh {
	my $p = run(['sh', '-c', @_]);

	die "$_[0]: ", $p->err if $p->code ne '0';
	return $p->out;
}

sub image {
	my ($name, $type, $mib) = @_;

	sh("truncate -s ${mib}M $dir/$name; mkfs.$type -q -F $dir/$name");
	return "$dir/$name";
}

sub vm {
	my ($disk, $opts, $image, @cmd) = @_;

	return docker('run', '--rm', run_args($RUNTIME, "$PREFIX-" . ++$number),
	    '-v', "$disk:/dev/runq/0001/none/ext4", '-e', 'RUNQ_ROOTDISK=0001',
	    @$opts, $image, @cmd);
}

# The test image with what an image may have and it has not.
my $image = "$PREFIX-image";
{
	my $name = "$PREFIX-make";
	docker_ok('run', run_args($REFERENCE, $name), '--cap-add', 'mknod',
	    TEST_IMAGE, 'sh', '-c', 'mkdir -p /foo/sub /bar /foobar /deep/a/b;
	    echo x >/foo/sub/x; echo x >/bar/x; echo x >/foobar/x;
	    mknod /data/block b 7 99; mknod -m 600 /data/char c 1 3;
	    chown 12:34 /data/block;
	    echo x >/data/h1; ln /data/h1 /data/h2; ln /data/h1 /deep/a/b/h3;
	    mkdir /data/locked; chmod 555 /data/locked; chown 1:2 /data/locked;
	    probe setxattr /data/locked user.dir value;
	    ln -s target /data/s; chown -h 5:6 /data/s;
	    touch -h -d "2002-03-04 05:06:07" /data/s /data/locked');
	docker_ok('commit', '-c', "LABEL runq-e2e=$PREFIX", $name, $image);
}

# Every file with all that is to be kept.
my $list = <<'END';
find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /lost+found \
    -o -path /lib/modules -o -path /etc/hosts -o -path /etc/hostname \
    -o -path /etc/resolv.conf \) -prune -o -print | sort >/tmp/list
grep -v '^/tmp' /tmp/list | while IFS= read -r f; do
	probe stat "$f"
	case $f in /|/etc|/etc/mtab|/lib|/dev|/.dockerenv) ;; *) stat -c 'time %n %Y' "$f" ;; esac
	[ -f "$f" ] && [ ! -h "$f" ] && md5sum <"$f"
done
stat -c %i /data/h1 /data/h2 /deep/a/b/h3 | uniq | wc -l
END

my $disk = image('root.raw', 'ext4', 512);
my ($want, $got);
{
	my $ref = docker('run', '--rm', run_args($REFERENCE, "$PREFIX-ref"),
	    $image, 'sh', '-c', $list);
	$want = $ref->out;
	my $p = docker(['run', '--rm', run_args($RUNTIME, "$PREFIX-first"),
		'-v', "$disk:/dev/runq/0001/none/ext4",
		'-e', 'RUNQ_ROOTDISK=0001', $image, 'sh', '-c', $list],
	    timeout => 300);
	$got = $p->out;
	is $p->code, 0, 'first boot: status' or diag $p->err;
	cmp_ok scalar(split /\n/, $got), '>', 300, 'files are listed';
	# /lib/modules is made for the VM
	s{^/lib: .*\n}{}m for $got, $want;
	my @got = split /\n/, $got;
	my @want = split /\n/, $want;
	my @differ = map { "$want[$_] | $got[$_]" }
	    grep { ($want[$_] // '') ne ($got[$_] // '') } 0 .. $#want;
	is "@differ[0 .. ($#differ > 9 ? 9 : $#differ)]", '',
	    'owners, modes, times, xattrs, links, devices, contents';
	is @got, @want, 'as many files';
	like $got, qr{^/data/block: mode 60\d+ owner 12:34 .*dev 7:99$}m,
	    'a device node';
	like $got, qr{^/bin/probe-caps: .*security.capability}m,
	    'file capabilities';
	like $got, qr{^/bin/probe-suid: mode 104755}m, 'setuid bit';
	is run(['e2fsck', '-fn', $disk])->code, 0, 'the disk is consistent';
}
{
	my $p = vm($disk, ['--hostname', 'first'], $image, 'sh', '-c',
	    'grep " / " /proc/mounts | cut -d " " -f 1,3; echo changed >/etc/new;
	    rm /data/owned; echo image >/etc/hosts.image; hostname');
	is $p->out, "/dev/vda ext4\nfirst\n", 'the root is the disk'
	    or diag $p->err;
	$p = vm($disk, ['--hostname', 'second', '--add-host', 'peer:10.9.8.7',
		'--dns', '10.1.2.3'], $image, 'sh', '-c',
	    'cat /etc/new; ls /data/owned 2>&1; cat /etc/hostname;
	    grep -c 10.9.8.7 /etc/hosts; grep -c 10.1.2.3 /etc/resolv.conf;
	    cat /dev/vda >/dev/null && ls -l /dev/disk/by-runq-id | grep -c vda');
	is $p->out, "changed\nls: /data/owned: No such file or directory\n" .
	    "second\n1\n1\n1\n",
	    'later boots: the disk as it was left; hosts, hostname, ' .
	    'resolv.conf are fresh' or diag $p->err;
	is docker('run', '--rm', run_args($RUNTIME, "$PREFIX-other"), $image,
	    'ls', '/etc/new')->out, '', 'the image is not touched';
	$p = docker('run', '--rm', run_args($RUNTIME, "$PREFIX-ro"),
	    '--read-only', '-v', "$disk:/dev/runq/0001/none/ext4:ro",
	    '-e', 'RUNQ_ROOTDISK=0001', $image, 'sh', '-c',
	    'cat /etc/new; touch /x 2>&1; cat /sys/block/vda/ro');
	like $p->out, qr/\Achanged\n.*Read-only.*\n1\n\z/,
	    '--read-only with a read-only disk' or diag $p->err;
}

# Holes do not survive an image's layers: the file comes into the container's
# own, as if it had been made there.
{
	my $name = "$PREFIX-holes";
	my $holes = image('holes.raw', 'ext4', 256);
	docker_ok('create', run_args($RUNTIME, $name), '-v',
	    "$holes:/dev/runq/0001/none/ext4", '-e', 'RUNQ_ROOTDISK=0001',
	    TEST_IMAGE, 'sh', '-c', 'stat -c %s /holes/file; ' .
	    'dd if=/holes/file bs=1000000 skip=500 count=1 2>/dev/null | ' .
	    'head -c 6; [ $(du -k /holes/file | cut -f 1) -lt 200 ] && ' .
	    'echo sparse');
	my $upper = inspect($name)->{GraphDriver}{Data}{UpperDir};
	SKIP: {
		skip 'this storage driver has no upper directory', 1
		    if !defined $upper;
		sh("mkdir $upper/holes; truncate -s 1G $upper/holes/file;
		    printf middle |
		    dd of=$upper/holes/file bs=1000000 seek=500 conv=notrunc 2>/dev/null");
		my $p = docker(['start', '-a', $name], timeout => 400);
		is $p->out, "1073741824\nmiddlesparse\n",
		    'a file of 1 GiB with holes, on a disk of 256 MiB'
		    or diag $p->err;
	}
	docker('rm', '-f', $name);
}

# ---- what is left out ----
my $other = image('other.raw', 'ext2', 256);
{
	my $p = docker('run', '--rm', run_args($RUNTIME, "$PREFIX-excl"), '-v',
	    "$other:/dev/runq/r/writeback/ext2", '-e', 'RUNQ_ROOTDISK=r',
	    '-e', 'RUNQ_ROOTDISK_EXCLUDE=/foo,/bar', $image, 'sh', '-c',
	    'ls -d /foo /bar /foobar/x 2>&1; grep " / " /proc/mounts |
	    cut -d " " -f 3');
	is $p->out, "ls: /foo: No such file or directory\n" .
	    "ls: /bar: No such file or directory\n/foobar/x\next2\n",
	    'RUNQ_ROOTDISK_EXCLUDE, ext2' or diag $p->err;
}

# ---- an interrupted copy ----
{
	my $half = image('half.raw', 'ext4', 512);
	my $big = "$PREFIX-big";
	docker_ok('run', run_args($REFERENCE, "$PREFIX-makebig"), TEST_IMAGE,
	    'sh', '-c', 'mkdir /many; cd /many; i=0; while [ $i -lt 3000 ]; do
	    echo $i >$i; i=$((i+1)); done; head -c 30000000 /dev/urandom >/zzz');
	docker_ok('commit', '-c', "LABEL runq-e2e=$PREFIX",
	    "$PREFIX-makebig", $big);
	my $name = "$PREFIX-half";
	my $p = start(['docker', 'run', run_args($RUNTIME, $name),
		'-v', "$half:/dev/runq/0001/writeback/ext4", '-e',
		'RUNQ_ROOTDISK=0001', $big, 'echo', 'complete']);
	# the copy is under way when some of it is on the disk
	my $seen = eventually(120, sub {
		my $ls = run(['debugfs', '-R', 'ls -p /', $half])->out;
		return $ls =~ m{/many/|/bin/};
	});
	kill 'KILL', container_pid($name);
	$p->finish(30);
	docker('rm', '-f', $name);
	ok $seen, 'a copy is interrupted';
	is $p->out, '', 'before the entry point runs';
	$p = docker(['run', '--rm', run_args($RUNTIME, "$name-2"),
		'-v', "$half:/dev/runq/0001/writeback/ext4", '-e',
		'RUNQ_ROOTDISK=0001', $big, 'sh', '-c',
		'ls /many | wc -l; wc -c </zzz; cat /many/2999'],
	    timeout => 300);
	is $p->out, "3000\n30000000\n2999\n",
	    'the next boot does it again, to the end' or diag $p->err;
	is run(['e2fsck', '-fn', $half])->code, 0, 'a consistent disk';
}

# ---- a disk that its owner has filled; one that is too small ----
{
	my $own = image('own.raw', 'ext4', 64);
	mkdir "$dir/mnt";
	SKIP: {
		skip 'no loop device on this machine', 2
		    if run(['mount', '-o', 'loop', $own, "$dir/mnt"])->code
		    ne '0';
		sh("mkdir -p $dir/mnt/bin; cp \$(command -v busybox) $dir/mnt/bin;
		    ln -s busybox $dir/mnt/bin/sh; umount $dir/mnt");
		my $p = vm($own, [], $image, '/bin/sh', '-c',
		    '/bin/busybox ls /bin; /bin/busybox uname');
		is $p->code, 0, 'a disk that was filled before' or diag $p->err;
		is $p->out, "busybox\nsh\nLinux\n", 'stays as it is';
	}
	my $small = image('small.raw', 'ext4', 6);
	my $p = vm($small, [], $image, 'true');
	is $p->code, 125, 'a disk that is too small: status';
	like $p->err, qr/root disk 0001: copy .*No space left/,
	    'it says which and why';
}

# ---- what is refused ----
for my $case (
	[['-v', "$disk:/dev/runq/1/none/ext4"], qr/no disk with that id/,
	    'an id that no disk has'],
	[['-v', "$disk:/dev/runq/0001/none"], qr/allowed: ext2 or ext4/,
	    'without a file system'],
	[['-v', "$disk:/dev/runq/0001/none/ext4/x"], qr/has none but \//,
	    'with a mount point'],
	[['--read-only', '-v', "$disk:/dev/runq/0001/none/ext4"],
	    qr/--read-only/, 'read-only on a disk that is not']) {
	my ($opts, $say, $what) = @$case;
	my $p = docker('run', '--rm', run_args($RUNTIME, "$PREFIX-" .
		++$number), '-e', 'RUNQ_ROOTDISK=0001', @$opts, $image,
	    'echo', 'it runs');

	isnt $p->code, 0, "$what: status " . $p->code;
	like $p->err, qr/RUNQ_ROOTDISK.*$say/s, "$what: words";
	is $p->out, '', "$what: nothing runs";
}
{
	my $empty = image('empty.raw', 'ext4', 64);
	my $p = docker('run', '--rm', run_args($RUNTIME, "$PREFIX-e"),
	    '-v', "$empty:/dev/runq/0001/none/ext4:ro", '-e',
	    'RUNQ_ROOTDISK=0001', $image, 'true');
	is $p->code, 125, 'a read-only disk without a copy: status';
	like $p->err, qr/root disk 0001: is read-only and holds no complete/,
	    'and words';
}

done_testing();
