#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Disks, root disks, volumes and kernel modules under KVM.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use E2E;
use Host::Look;

my $dir = tempdir();

sub sh {
	my $p = run(['sh', '-c', @_]);

	die "$_[0]: ", $p->err if $p->code ne '0';
	return $p->out;
}

sub image {
	my ($type, $mib) = @_;
	my $force = $type =~ /^ext/ ? '-q -F' : $type eq 'xfs' ? '-q' : '-q -f';

	sh("truncate -s ${mib}M $dir/$type; mkfs.$type $force $dir/$type");
	return "$dir/$type";
}

# ---- disks ----
my %path = (ext4 => image('ext4', 64), xfs => image('xfs', 320),
    btrfs => image('btrfs', 128));
my @disks = ('-v', "$path{ext4}:/dev/runq/1/none/ext4/mnt/ext4",
    '-v', "$path{xfs}:/dev/runq/2/writeback/xfs/mnt/xfs",
    '-v', "$path{btrfs}:/dev/runq/3/writethrough/btrfs/mnt/btrfs");
my $p = runq([], \@disks, 'sh', '-c',
    'cut -d " " -f 2,3 /proc/mounts | grep ^/mnt/ | sort;
    for t in ext4 xfs btrfs; do probe write 1 3000000 >/mnt/$t/data; done;
    md5sum </mnt/ext4/data');
my @said = split /\n/, $p->out;
my $sum = $said[3] // '';
is join(' ', grep { defined } @said[0 .. 2]), '/mnt/btrfs btrfs /mnt/ext4 ext4 /mnt/xfs xfs',
    'ext4, xfs and btrfs are mounted' or diag $p->out, $p->err;
$p = runq([], \@disks, 'sh', '-c', 'md5sum </mnt/ext4/data; cmp
    /mnt/ext4/data /mnt/xfs/data && cmp /mnt/ext4/data /mnt/btrfs/data &&
    echo alike' =~ s/\n\s+/ /gr);
is $p->out, "$sum\nalike\n", 'what was written is there for the next VM'
    or diag $p->err;
is run(['e2fsck', '-fn', $path{ext4}])->code, 0, 'ext4: unmounted in order';
is run(['xfs_repair', '-n', $path{xfs}])->code, 0, 'xfs: unmounted in order';
is run(['btrfs', 'check', $path{btrfs}])->code, 0, 'btrfs: in order';

# ---- a block device ----
run(['modprobe', 'loop']);
chomp(my $loop = sh("losetup -f --show $path{ext4}"));
$p = runq([], ['--device', "$loop:/dev/runq/1/none/ext4/data"], 'md5sum',
    '/data/data');
is +($p->out =~ /^(\w+)/)[0], ($sum =~ /^(\w+)/)[0], 'a block device'
    or diag $p->err;
mkdir "$dir/mnt";
sh("mount $loop $dir/mnt");
$p = runq([], ['--device', "$loop:/dev/runq/1/none"], 'true');
like $p->err, qr/\Q$loop\E is in use on this host/,
    'a block device that the host has mounted is refused';
sh("umount $dir/mnt; losetup -d $loop");

# ---- a root disk ----
sh("truncate -s 512M $dir/root; mkfs.ext4 -q -F $dir/root");
my @root = ('-v', "$dir/root:/dev/runq/1/none/ext4", '-e', 'RUNQ_ROOTDISK=1');
$p = runq([], \@root, 'sh', '-c',
    'grep " / " /proc/mounts | cut -d " " -f 1,3; echo here >/kept');
is $p->out, "/dev/vda ext4\n", 'a root disk' or diag $p->err;
$p = runq([], \@root, 'cat', '/kept');
is $p->out, "here\n", 'a root disk keeps what was written' or diag $p->err;

# ---- the image and volumes ----
sub volumes {
	my ($fs, @args) = @_;
	my $vol = "$dir/vol-$fs";

	mkdir $vol;
	spew("$vol/host", "from the host\n");
	my $name = up_with(\@args, $fs, '-v', "$vol:/vol", '-v',
	    "$vol:/ro:ro");
	is docker('exec', $name, 'sh', '-c', 'grep " / " /proc/mounts |
	    cut -d " " -f 3; cat /vol/host' =~ s/\n\s+/ /gr)->out,
	    "$fs\nfrom the host\n", "$fs: the image and a volume";
	docker('exec', $name, 'sh', '-c',
	    'for i in $(seq 300); do echo $i >/vol/f$i; done;
	    ln -s f1 /vol/link; ln /vol/f2 /vol/hard; chown 12:34 /vol/f3;
	    chmod 600 /vol/f3');
	is sh("ls $vol | wc -l; cat $vol/f300; readlink $vol/link;
	    stat -c '%h' $vol/f2; stat -c '%u:%g %a' $vol/f3"),
	    "303\n300\nf1\n2\n12:34 600\n", "$fs: what the guest makes";
	isnt docker('exec', $name, 'touch', '/ro/x')->code, 0, "$fs: :ro";
	spew("$vol/host", "changed\n");
	ok eventually(10, sub { docker('exec', $name, 'cat', '/vol/host')->out
		eq "changed\n" }), "$fs: what the host changes is seen";
	docker('rm', '-f', $name);
}

volumes('virtiofs');
volumes('9p', '--rootfs', '9p');

# ---- kernel modules ----
tap_of('modules', $^X, "$FindBin::Bin/../e2e/modules.t");
done_testing();
