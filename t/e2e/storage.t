#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Disks: --volume IMAGE:/dev/runq/ID/CACHE[/FSTYPE[/MOUNTPOINT]] and --device.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

need_runq();
for my $program (qw(qemu-img mkfs.ext4 mkfs.xfs mkfs.btrfs debugfs losetup)) {
	plan(skip_all => "$program is missing (image/setup --tests)")
	    if !find_program($program);
}

my $dir = tempdir();
my $number = 0;
my @loops;

sub sh {
	my $p = run(['sh', '-c', @_]);

	die "$_[0]: ", $p->err if $p->code ne '0';
	return $p->out;
}

# An image of that many MiB with a file system.
sub image {
	my ($name, $type, $mib) = @_;
	my $path = "$dir/$name";
	my $force = $type =~ /^ext/ ? '-q -F' : $type eq 'xfs' ? '-q' : '-q -f';

	sh("truncate -s ${mib}M $path");
	sh("mkfs.$type $force $path") if $type ne 'none';
	return $path;
}

sub qcow2 {
	my ($raw, $name) = @_;

	sh("qemu-img convert -O qcow2 $raw $dir/$name");
	return "$dir/$name";
}

# A loop device of the image, or undef.
sub loop {
	my $p = run(['losetup', '-f', '--show', @_]);

	return undef if $p->code ne '0';
	chomp(my $dev = $p->out);
	push @loops, $dev;
	return $dev;
}

END { run(['losetup', '-d', $_]) for @loops }

sub vm {
	my ($opts, @cmd) = @_;

	return docker('run', '--rm', run_args($RUNTIME, "$PREFIX-" . ++$number),
	    @$opts, TEST_IMAGE, @cmd);
}

sub said {
	my ($p, $want, $what) = @_;

	is $p->code, 0, "$what: status" or diag $p->err;
	is $p->out, $want, $what or diag $p->err;
}

sub v { return ('-v', "$_[0]:/dev/runq/$_[1]") }

# ---- what the documents show ----
my $ext4 = image('data.img', 'ext4', 64);
my $xfs = image('xfs.img', 'xfs', 320);
my $qcow2 = qcow2($xfs, 'data.qcow2');
{
	my $p = vm([v($qcow2, '0001/none/xfs/mnt/data')], 'sh', '-c',
	    'readlink /dev/disk/by-runq-id/0001; grep /mnt/data /proc/mounts;
	    echo kept >/mnt/data/file');
	like $p->out, qr{^\.\./\.\./vda\n/dev/vda /mnt/data xfs rw},
	    'a qcow2 image with xfs, mounted' or diag $p->err;
	said(vm([v($qcow2, '0001/none/xfs/mnt/data')], 'cat', '/mnt/data/file'),
	    "kept\n", 'qcow2: the next container finds the file');
}
SKIP: {
	my $dev = loop($ext4);
	skip 'this machine has no free loop device', 12 if !$dev;
	my $path = '/dev/runq/0002/writethrough';
	my $p = vm(['--device', "$dev:$path/ext4/mnt/data2"], 'sh', '-c',
	    'cut -d " " -f 2,3 /proc/mounts | grep data2;
	    echo device >/mnt/data2/file');
	said($p, "/mnt/data2 ext4\n", 'a block device, mounted');
	is sh("sync; debugfs -R 'cat file' $dev 2>/dev/null"), "device\n",
	    'its data are on the device';
	$p = vm(['--device', "$dev:$path"], 'sh', '-c',
	    'grep -c vda /proc/mounts; mkdir /m;
	    head -c 1080 /dev/disk/by-runq-id/0002 | tail -c 1 | wc -c;
	    cat /sys/block/vda/ro');
	is $p->out, "0\n1\n0\n", 'a block device, not mounted' or diag $p->err;
	$p = vm(['--device', "$dev:$path:r"], 'sh', '-c',
	    'cat /sys/block/vda/ro;
	    dd if=/dev/zero of=/dev/vda bs=512 count=1 conv=fsync 2>&1');
	like $p->out, qr/^1\n.*(not permitted|error|read-only)/si,
	    'with :r it is read-only';
	mkdir "$dir/mnt";
	sh("mount $dev $dir/mnt");
	$p = vm(['--device', "$dev:$path/ext4/mnt/data2"], 'true');
	sh("umount $dir/mnt");
	isnt $p->code, 0, 'a device that the host has mounted is refused';
	like $p->err, qr{/dev/runq/0002/.*\Q$dev\E is in use on this host},
	    'by name';
	my $name = "$PREFIX-holds";
	docker_ok('run', '-d', run_args($RUNTIME, $name), '--device',
	    "$dev:$path", TEST_IMAGE, 'probe', 'hold');
	$p = vm(['--device', "$dev:$path"], 'true');
	like $p->err, qr{\Q$dev\E is in use}, 'so is one that another VM has';
	docker('rm', '-f', $name);
	said(vm(['--device', "$dev:$path/ext4/d"], 'cat', '/d/file'),
	    "device\n", 'which is free again after its end');
	run(['losetup', '-d', $dev]);
	pop @loops;
}

# ---- file systems, cache modes, ids, format by content ----
my $ext2 = image('ext2.qcow2', 'ext2', 16); # a name that lies
my $ext3 = image('ext3.img', 'ext3', 16);
my $btrfs = image('btrfs.img', 'btrfs', 128);
rename qcow2($ext3, 'q'), "$dir/raw.img"; # another one
my $long = 'x' x 36;
my @all = (v($ext2, 'a/writeback/ext2/e2'), v($ext3, 'b_-/writethrough/ext3/e3'),
    v($ext4, "$long/none/ext4/e4"), v($btrfs, 'D/unsafe/btrfs/deep/er/btrfs'),
    v("$dir/raw.img", '5/none/ext3/q'), v($xfs, '6/writeback'));
{
	my $p = vm([@all], 'sh', '-c', 'cut -d " " -f 2,3,4 /proc/mounts |
	    grep -E "ext|btrfs|xfs" | cut -d , -f 1 | sort;
	    for d in /e2 /e3 /e4 /deep/er/btrfs /q; do echo $d >$d/name; done;
	    ls /dev/disk/by-runq-id | sort | tr "\n" " "');
	is $p->out, "/deep/er/btrfs btrfs rw\n/e2 ext2 rw\n/e3 ext3 rw\n" .
	    "/e4 ext4 rw\n/q ext3 rw\n5 6 D a b_- $long ",
	    'five file systems, four cache modes, an id of 36 bytes'
	    or diag $p->err;
	$p = vm([@all], 'sh', '-c', 'cat /e2/name /e3/name /e4/name
	    /deep/er/btrfs/name /q/name;
	    for id in a b_- D; do
		d=$(basename $(readlink /dev/disk/by-runq-id/$id))
		cat /sys/block/$d/queue/write_cache
	    done' =~ s/\n\t    \/deep/ \/deep/r);
	said($p, "/e2\n/e3\n/e4\n/deep/er/btrfs\n/q\nwrite back\n" .
	    "write through\nwrite back\n", 'all of it is there again');
	for my $fs ([$ext2, 'e2'], [$ext3, 'e3'], [$ext4, 'e4']) {
		is sh("debugfs -R 'cat name' $fs->[0] 2>/dev/null"),
		    "/$fs->[1]\n", "$fs->[1]: on the host, when it has ended";
		like sh("dumpe2fs -h $fs->[0] 2>/dev/null"),
		    qr/state:\s+clean\n/, "$fs->[1]: unmounted in order";
		is run(['e2fsck', '-fn', $fs->[0]])->code, 0,
		    "$fs->[1]: consistent";
	}
	is run(['btrfs', 'check', $btrfs])->code, 0, 'btrfs: consistent';
	like sh("qemu-img info $dir/raw.img"), qr/file format: qcow2/,
	    'the qcow2 image is still one';
}

# ---- several disks and volumes on each other ----
{
	my $p = vm([v($ext4, '1/none/ext4/var/lib/deep/er'),
		v($ext3, '2/none/ext3/var/lib'), '-v', '/var/lib/anything'],
	    'sh', '-c', 'cut -d " " -f 2,3 /proc/mounts | grep ext;
	    touch /var/lib/deep/er/x && ls -d /var/lib/anything 2>&1');
	like $p->out, qr{\A/var/lib ext3\n/var/lib/deep/er ext4\n.*No such file},
	    'mounts nest; a disk covers the volumes that lie below it'
	    or diag $p->err;
	said(vm([v($ext4, '1/none/ext4/new/place'), '--read-only'], 'sh', '-c',
		'touch /x 2>/dev/null || echo no; touch /new/place/x && echo yes'),
	    "no\nyes\n", '--read-only: the disk can be written');
	$p = vm(['-v', "$ext4:/dev/runq/1/none/ext4/data:ro"], 'sh', '-c',
	    'cat /data/name; touch /data/y; cat /sys/block/vda/ro;
	    mount -o remount,rw /data; dd if=/dev/zero of=/dev/vda bs=1 count=1');
	like $p->out, qr{\A/e4\n1\n\z}, ':ro: can be read';
	like $p->err, qr/Read-only file system/, ':ro: cannot be written';
	$p = vm(['--mount',
		"type=bind,source=$ext4,target=/dev/runq/1/none/ext4/data"],
	    'cat', '/data/name');
	said($p, "/e4\n", '--mount is like --volume');
	said(vm([v($ext4, '1/none/ext4/data'), '-u', '1000'], 'sh', '-c',
		'id -u; cat /dev/vda 2>/dev/null || echo no'), "1000\nno\n",
	    'only root reads the device');
	$p = vm([map { my $n = $_; sh("truncate -s 1M $dir/d$n");
		v("$dir/d$n", "d$n/none") } 1 .. 16], 'sh', '-c',
	    'ls /dev/disk/by-runq-id | wc -l; ls -d /sys/block/vd* | wc -l');
	said($p, "16\n16\n", '16 disks');
}

# ---- discard, partitions, a device of one's own ----
{
	my $p = vm([v($ext4, '1/none/ext4/data')], 'sh', '-c',
	    'head -c 20000000 /dev/urandom >/data/big; sync');
	my $full = (stat $ext4)[12];
	$p = vm(['--cap-add', 'sys_admin', v($ext4, '1/none/ext4/data')], 'sh',
	    '-c', 'rm /data/big; sync; fstrim -v /data');
	is $p->code, 0, 'fstrim' or diag $p->err;
	cmp_ok((stat $ext4)[12], '<', $full - 30000,
	    'discard: the host has its space back');
	# a boot record with one partition: status, CHS, type, CHS, LBA, size
	spew("$dir/parts.img", pack 'x446 C x3 C x3 V V x48 v', 0, 0x83, 2048,
	    4096, 0xaa55);
	sh("truncate -s 32M $dir/parts.img");
	said(vm([v("$dir/parts.img", 'p/none')], 'sh', '-c',
		'ls /dev/vd*; mke2fs /dev/vda1 >/dev/null; echo $?'),
	    "/dev/vda\n/dev/vda1\n0\n", 'partitions');
}

# ---- nothing that was fsynced is lost ----
{
	my $name = "$PREFIX-killed";
	my $p = start(['docker', 'run', run_args($RUNTIME, $name),
		v($ext4, '1/writeback/ext4/data'), TEST_IMAGE, 'sh', '-c',
		'echo safe | dd of=/data/safe conv=fsync 2>/dev/null; echo ready;
		while :; do echo more >>/data/more; done']);
	ok defined $p->expect(qr/ready/, 120), 'a container writes'
	    or diag $p->err;
	kill 'KILL', container_pid($name);
	$p->finish(30);
	docker('rm', '-f', $name);
	said(vm([v($ext4, '1/writeback/ext4/data')], 'cat', '/data/safe'),
	    "safe\n", 'supervisor killed: what was fsynced is there');
	$name = "$PREFIX-again";
	docker_ok('run', '-d', run_args($RUNTIME, $name),
	    v($ext4, '1/writeback/ext4/data'), TEST_IMAGE, 'sh', '-c',
	    'cat /data/count; echo x >>/data/count');
	docker_ok('wait', $name);
	docker_ok('start', '-a', $name);
	is docker('logs', $name)->out, "x\n", 'docker start: the same disk';
	docker_ok('rm', $name);
}

# ---- what is refused: nothing runs, the volume is named, nothing is left ----
sub refused {
	my ($opts, $say, $what) = @_;
	my $name = "$PREFIX-" . ++$number;
	my $p = docker('run', run_args($RUNTIME, $name), @$opts, TEST_IMAGE,
	    'echo', 'it runs');
	my $info = inspect($name);

	subtest $what => sub {
		isnt $p->code, 0, 'status ' . $p->code;
		is $p->out, '', 'nothing runs';
		like $p->err, $say, 'the terminal says why';
		docker('rm', '-f', '-v', $name);
		my @left;
		eventually(10, sub { !(@left = leftovers($info->{Id})) })
		    if $info;
		is "@left", '', 'nothing is left';
	};
}

sub refused_volume {
	my ($path, $place, $say, $what) = @_;

	refused(['-v', "$path:/dev/runq/$place"],
	    qr{\Q--volume $path:/dev/runq/$place\E: .*$say}, $what);
}

refused_volume($ext4, '0.1/none', qr/id: "0.1".*1 to 36 letters, digits/,
    'an id with a dot');
refused_volume($ext4, 'x' x 37 . '/none', qr/id: .*1 to 36/,
    'an id of 37 bytes');
refused([v($ext4, '1/none'), v($ext3, '1/writeback/ext3/x')],
    qr{id "1" is taken by --volume}, 'an id twice');
refused_volume($ext4, '1/writearound',
    qr/cache: "writearound", must be writeback, writethrough, none or unsafe/,
    'an unknown cache mode');
refused_volume($ext4, '1', qr{must have the form /dev/runq/ID/CACHE},
    'no cache mode');
refused_volume($ext4, '1/none/vfat/x',
    qr/file system: "vfat", must be ext2, ext3, ext4, xfs or btrfs/,
    'an unknown file system');
refused_volume($ext4, '1/none/xfs/x', qr/\Q$ext4\E holds ext4, not xfs/,
    'an ext4 image declared xfs, before boot');
refused_volume($ext4, '1/none/ext2/x', qr/holds ext4, not ext2/,
    'an ext4 image declared ext2, before boot');
refused_volume("$dir/d1", '1/none/ext4/x',
    qr{/d1 does not hold a file system of type ext4}, 'an image without one');
refused_volume($dir, '1/none', qr/\Q$dir\E is a directory/, 'a directory');
refused_volume("$dir/missing", '1/none', qr{missing is a directory},
    'a missing file, of which Docker makes a directory');
refused(['--mount',
	"type=bind,source=$dir/missing2,target=/dev/runq/1/none"],
    qr{missing2}, 'a missing file');
refused_volume($ext4, '1/none/ext4/proc/x', qr/mount point "\/proc\/x"/,
    'a mount point in /proc');
refused([v($ext4, '1/none/ext4/x'), v($ext3, '2/none/ext3/x')],
    qr{mount point "/x" is taken by disk}, 'a mount point twice');
refused(['--device', '/dev/null:/dev/runq/1/none'],
    qr{--device /dev/runq/1/none: not a block device}, 'a character device');
sh("truncate -s 0 $dir/empty");
refused_volume("$dir/empty", '1/none', qr/is empty/, 'an empty file');
refused(['--tmpfs', '/dev/runq/1/none'], qr{/dev/runq/1/none.*"tmpfs"},
    'a tmpfs');
{
	my $name = "$PREFIX-holds-file";
	docker_ok('run', '-d', run_args($RUNTIME, $name), v($ext4, '1/none'),
	    TEST_IMAGE, 'probe', 'hold');
	ok eventually(60, sub { docker('logs', $name)->out =~ /ready/ }),
	    'a VM has an image';
	refused([v($ext4, '7/none')], qr/disk 7: .*lock/,
	    'a second one does not get it');
	docker_ok('rm', '-f', $name);
}

# A file system that only the guest can see in the qcow2 image.
{
	sh("qemu-img create -q -f qcow2 $dir/blank.qcow2 32M");
	refused([v("$dir/blank.qcow2", 'blank/none/ext4/x')],
	    qr/disk blank: cannot be mounted as ext4/,
	    'a qcow2 image without the file system: the guest says it');
}

# ---- other files that an image names are not followed ----
{
	spew("$dir/secret", 'the secret of the host' x 100);
	sh("cd $dir; qemu-img create -q -f qcow2 -F raw -b secret b.qcow2;
	    qemu-img create -q -f qcow2 -o data_file=secret2 d.qcow2 1M");
	refused_volume("$dir/b.qcow2", '1/none', qr/another file \(backing file\)/,
	    'a qcow2 image with a backing file');
	refused_volume("$dir/d.qcow2", '1/none', qr/another file \(data file\)/,
	    'a qcow2 image with a data file');
	# as a guest could write it into its raw disk
	sh("cp $dir/b.qcow2 $dir/raw-once.img");
	refused_volume("$dir/raw-once.img", '1/none', qr/backing file/,
	    'a raw image that has become one');
}

done_testing();
