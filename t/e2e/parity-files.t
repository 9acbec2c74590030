#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Parity: the root file system, volumes, tmpfs, and what may be written.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use E2E;
use E2E::Parity;

# ---- what is mounted ----
case 'mounts: a plain container',
    cmd => ['sh', '-c', 'probe mounts | grep -v /sys/fs/cgroup'],
    want => qr{^/proc/sys proc ro}m,
    except => [
	'the root file system is virtiofs' =>
	    [qr{^/ (overlay|virtiofs|9p) rw.*}, '/ rw'],
	'so are Docker\'s three files' =>
	    [qr{^(/etc/\w+\S*) \S+ rw.*}, '$1 rw'],
	'guest kernels have other files in /proc' =>
	    qr{^/proc/(acpi|keys|timer_list|sched_debug|scsi|asound|latency_stats|interrupts|kcore|sysrq-trigger) },
	'the guest has no ACPI tables and firmware to hide' =>
	    qr{^/sys/firmware },
	'the module tree of the guest kernel' => qr{^/lib/modules }];
case 'devices: names, types, modes and owners',
    cmd => ['sh', '-c', 'probe stat /dev/*'],
    want => qr{/dev/null: mode 20666 owner 0:0 .*dev 1:3},
    except => ['a link to the kernel\'s own memory, or none' =>
	qr{^/dev/core}];
case 'devices: they work',
    cmd => ['sh', '-c', 'head -c 5 /dev/zero | od -c; echo x >/dev/null;
	head -c 9 /dev/urandom | wc -c; echo x >/dev/full; echo y >/dev/stdout'],
    want => qr/No space/;
case 'devices: none can be made and used without the right',
    cmd => ['sh', '-c', 'mknod /tmp/mem c 1 1; head -c 1 /tmp/mem; echo $?'],
    compare => 'out code', want => qr/1/;

# ---- the root file system ----
case 'root: owners, modes, xattrs, hard links, fifos of the image',
    cmd => ['sh', '-c', 'cd /data; probe stat * ; probe stat /bin/probe-* /tmp /root'],
    want => qr/owned: mode 100640 owner 1000:44 .*user.color/;
case 'root: mtimes to the nanosecond',
    cmd => ['stat', '-c', '%y', '/data/old'], want => qr/04:05:06.789/;
case 'root: names with blanks, UTF-8, latin-1',
    cmd => ['sh', '-c', 'ls -1 /data | od -c'];
case 'root: layers, changed and removed files',
    cmd => ['sh', '-c', 'ls -lR /lower | cut -c1-30,60-; cat /lower/changed'],
    want => qr/changed/;
case 'root: file semantics', cmd => ['probe', 'files', '/tmp'],
    want => qr/entries 302/;
case 'root: file semantics for a user', opts => ['--user', 'app'],
    cmd => ['probe', 'files', '/home/app'], want => qr/chown.*EPERM/;
case 'root: permissions are checked for a user', opts => ['--user', '1001:1001'],
    cmd => ['sh', '-c', 'cat /data/owned; ls /data/private; touch /x; rm /data/old; mkdir /tmp/ok && ls -d /tmp/ok'],
    want => qr/Permission denied/;
case 'root: a supplementary group counts', opts => ['--user', '1001:1001',
	'--group-add', '44'], cmd => ['cat', '/data/owned'], want => qr/owned/;
case 'root: chown by root and what a user then may',
    cmd => ['sh', '-c', 'cp /bin/busybox /tmp/b; chown 1000:1000 /tmp/b;
	chmod 6755 /tmp/b; probe stat /tmp/b; chown 0 /tmp/b; probe stat /tmp/b;
	echo x >>/tmp/b; probe stat /tmp/b'];
case 'root: 100 MB written, synced and read back', timeout => 240,
    cmd => ['sh', '-c', 'probe write 1 100000000 >/tmp/big && sync && md5sum </tmp/big; ls -l /tmp/big | cut -c20-43'];
case 'root: a tree of 1,000 files made, listed, removed', timeout => 240,
    cmd => ['sh', '-c', 'cd /tmp; mkdir t; cd t; for d in 0 1 2 3 4 5 6 7 8 9; do
	mkdir $d; i=0; while [ $i -lt 100 ]; do echo $i >$d/$i; i=$((i+1)); done; done;
	find . | wc -l; find . -type f | xargs cat | md5sum; cd ..; rm -r t; ls t'],
    code => 1, want => qr/1011/;
case 'root: written by the container, seen by docker diff',
    do => sub {
	my ($c) = @_;
	$c->detach([], ['sh', '-c', 'echo x >/made; rm /data/old; mkdir /d']);
	$c->wait;
	return join '', sort split /^/, docker('diff', $c->name)->out;
    }, want => qr{D /data/old},
    except => ['the mount point of the guest kernel\'s modules' =>
	qr{^[AC] /lib(/modules)?$}];
case 'root: docker diff after nothing was done',
    do => sub {
	my ($c) = @_;
	$c->detach([], ['true']);
	$c->wait;
	return "diff:\n" . docker('diff', $c->name)->out;
    }, except => ['the mount point of the guest kernel\'s modules' =>
	qr{^[AC] /lib(/modules)?$}];
case 'root: docker cp into a running container and out of it',
    files => { in => "from the host\n" },
    do => sub {
	my ($c) = @_;
	my $name = $c->detach([], ['sh', '-c', 'echo inside >/made; echo ready;
		until [ -e /tmp/in ]; do usleep 50000; done; cat /tmp/in']);
	$c->logs_match(qr/ready/);
	docker_ok('cp', $c->dir . '/in', "$name:/tmp/in");
	docker_ok('cp', "$name:/made", $c->dir . '/out');
	return $c->wait . docker('logs', $name)->out . slurp($c->dir . '/out');
    }, want => qr/from the host\ninside/;

# ---- read-only ----
case '--read-only: writes fail', opts => ['--read-only'],
    cmd => ['sh', '-c', 'touch /x; mkdir /tmp/d; rm /data/old; chmod 7 /data; echo x >/data/owned; mount -o remount,rw / 2>/dev/null; touch /x'],
    code => 1, want => qr/Read-only file system/;
case '--read-only: --tmpfs and volumes stay writable', files => { f => '' },
    opts => ['--read-only', '--tmpfs', '/tmp', '-v', 'DIR:/data', '-v',
	'DIR/f:/lower/stays'],
    cmd => ['sh', '-c', 'touch /tmp/x /data/x /dev/shm/x && echo y >/lower/stays && cat /lower/stays; touch /x'],
    code => 1, want => qr/y/;
case '--read-only: mount points that the image lacks', opts => ['--read-only',
	'-v', 'DIR:/new/mount', '--tmpfs', '/new/tmp'], files => { f => "x\n" },
    cmd => ['sh', '-c', 'cat /new/mount/f; touch /new/tmp/y; ls /new /new/tmp; touch /new/z'],
    code => 1, want => qr/x/;
case '--read-only: the state seen by programs', opts => ['--read-only'],
    cmd => ['sh', '-c', 'probe mounts | grep "^/ "'], want => qr{/ \w+ ro},
    except => ['the root file system is virtiofs' =>
	[qr{^/ \w+ ro.*}, '/ ro']];

# ---- volumes ----
case '-v: a directory', files => { a => "alpha\n", b => '' },
    opts => ['-v', 'DIR:/vol'],
    cmd => ['sh', '-c', 'cat /vol/a; ls /vol; echo out >/vol/c; cat /vol/c; probe stat /vol/c'],
    want => qr/alpha/;
case '-v: a directory: file semantics', opts => ['-v', 'DIR:/vol'],
    files => { a => '' }, cmd => ['probe', 'files', '/vol'],
    want => qr/entries 302/;
case '-v: what the container wrote is on the host', files => { a => '' },
    do => sub {
	my ($c) = @_;
	$c->run(['-v', 'DIR:/vol'], TEST_IMAGE, ['sh', '-c',
		'echo from inside >/vol/out; chown 12:34 /vol/out; chmod 604 /vol/out; ln -s out /vol/l; rm /vol/a']);
	return slurp($c->dir . '/out') . join ' ', map { sprintf '%s %o %d:%d',
		(split '/')[-1], (lstat)[2, 4, 5] } glob $c->dir . '/*';
    }, want => qr/from inside\nl .* out 100604 12:34/;
case '-v: what the host writes is seen by the container', files => { a => '' },
    do => sub {
	my ($c) = @_;
	$c->detach(['-v', 'DIR:/vol'], ['sh', '-c', 'echo ready;
		until [ -s /vol/a ] && [ -e /vol/new ]; do usleep 50000; done; cat /vol/a']);
	$c->logs_match(qr/ready/);
	spew($c->dir . '/a', "changed\n");
	spew($c->dir . '/new', '');
	return $c->wait . docker('logs', $c->name)->out;
    }, want => qr/changed/;
case '-v: a file', files => { f => "text\n" }, opts => ['-v', 'DIR/f:/etc/passwd'],
    cmd => ['sh', '-c', 'cat /etc/passwd; echo more >>/etc/passwd; cat /etc/passwd; ls /etc/group; rm /etc/passwd'],
    code => 1, want => qr/text\nmore/;
case '-v: a file whose mount point does not exist', files => { f => "text\n" },
    opts => ['-v', 'DIR/f:/made/for/it'],
    cmd => ['sh', '-c', 'cat /made/for/it; probe stat /made/for'],
    want => qr/text/;
case '-v: ro refuses', files => { f => "x\n" }, opts => ['-v', 'DIR:/vol:ro', '-v',
	'DIR/f:/etc/group:ro'],
    cmd => ['sh', '-c', 'cat /vol/f; touch /vol/x; rm /vol/f; echo y >/vol/f; chmod 0 /vol/f; echo y >/etc/group'],
    code => 1, want => qr/Read-only file system/;
case '-v: nested, and ro above rw', do => sub {
	my ($c) = @_;
	mkdir $c->dir . "/$_" for 'inner', 'outer', 'outer/in', 'outer/tmp';
	spew($c->dir . '/outer/o', "o\n");
	spew($c->dir . '/inner/i', "i\n");
	my $p = $c->run(['-v', 'DIR/inner:/vol/in', '-v', 'DIR/outer:/vol:ro',
		'--tmpfs', '/vol/tmp'], TEST_IMAGE, ['sh', '-c',
		'cat /vol/o /vol/in/i; echo w >/vol/in/w; echo t >/vol/tmp/t; cat /vol/tmp/t; touch /vol/x']);
	return $p->out . $p->err . $p->code . join ' ', map { s/.*\///r }
	    glob $c->dir . '/inner/*';
    }, want => qr/o\ni\nt\n.*Read-only/;
case '-v: a named volume gets the image\'s contents',
    do => sub {
	my ($c) = @_;
	my $v = $c->volume('v');
	my $p = $c->run(['-v', "$v:/data"], TEST_IMAGE, ['sh', '-c',
		'ls -1 /data | wc -l; probe stat /data/owned /data/hard1 /data/fifo; echo kept >/data/kept']);
	$c->detach(['-v', "$v:/other"], ['cat', '/other/kept'], $c->name('b'));
	return $p->out . $p->err . $c->wait(90, $c->name('b')) .
	    docker('logs', $c->name('b'))->out;
    }, want => qr/kept/;
case '-v: an anonymous volume, and --volumes-from',
    do => sub {
	my ($c) = @_;
	my $a = $c->detach(['-v', '/anon'], ['sh', '-c', 'echo shared >/anon/f'],
	    $c->name('a'));
	$c->wait(90, $a);
	my $p = $c->run(['--volumes-from', $a], TEST_IMAGE,
	    ['sh', '-c', 'cat /anon/f; echo x >/anon/g && ls /anon']);
	docker('rm', '-f', $c->name);
	my $q = $c->run(['--volumes-from', "$a:ro"], TEST_IMAGE,
	    ['sh', '-c', 'ls /anon; touch /anon/h']);
	return $p->out . $p->err . $q->out . $q->err . $q->code;
    }, want => qr/shared\nf\ng\nf\ng\n.*Read-only/;
case '--mount type=bind with bind-propagation and readonly',
    files => { f => "x\n" },
    opts => ['--mount', 'type=bind,source=DIR,target=/vol,readonly,bind-propagation=rprivate'],
    cmd => ['sh', '-c', 'cat /vol/f; touch /vol/y'], code => 1, want => qr/x/;
for my $link (qw(relative absolute escaping chain)) {
	case "-v: the destination is a symlink of the image: $link",
	    files => { f => "x\n" }, opts => ['-v', "DIR:/links/$link"],
	    cmd => ['sh', '-c', "ls /links/$link /target; probe stat /links/$link"],
	    want => qr/f/;
}
case '-v: below a symlink of the image', files => { f => "x\n" },
    opts => ['-v', 'DIR:/links/escaping/sub/dir'],
    cmd => ['sh', '-c', 'find /target; cat /target/sub/dir/f'], want => qr/x/;
case '-v: a file over a symlink to a file', files => { f => "x\n" },
    opts => ['-v', 'DIR/f:/links/file'],
    cmd => ['sh', '-c', 'cat /target/file; probe stat /links/file'], want => qr/x/;
case '-v: a dangling symlink', files => { f => "x\n" },
    opts => ['-v', 'DIR:/links/dangling'],
    cmd => ['sh', '-c', 'ls /does/not/exist'], want => qr/f/;
case '-v: dots in the destination', files => { f => "x\n" },
    opts => ['-v', 'DIR:/data/../vol/./d'], cmd => ['ls', '/vol/d'], want => qr/f/;
case '-v: over /etc/resolv.conf and /etc/hosts', files => { f => "mine\n" },
    opts => ['-v', 'DIR/f:/etc/resolv.conf', '-v', 'DIR/f:/etc/hosts'],
    cmd => ['cat', '/etc/resolv.conf', '/etc/hosts'], want => qr/mine\nmine/;
case '-v: thirty of them', files => { f => "x\n" },
    opts => [map { ('-v', "DIR:/v/$_") } 1 .. 30],
    cmd => ['sh', '-c', 'cat /v/*/f | wc -l; echo y >/v/30/g; cat /v/1/g'],
    want => qr/30\ny/;

# ---- tmpfs and shm ----
case '--tmpfs: options', opts => ['--tmpfs', '/t1:size=1m,mode=700,noexec',
	'--tmpfs', '/t2:rw,exec,uid=1000,gid=44,nr_inodes=10', '--tmpfs', '/t3:ro'],
    cmd => ['sh', '-c', 'probe mounts | grep /t; probe stat /t1 /t2 /t3;
	head -c 2000000 /dev/zero >/t1/x; ls -s /t1/x; cp /bin/busybox /t2/b && /t2/b echo runs;
	cp /bin/script /t1/s; rm /t1/x; cp /bin/script /t1/s; /t1/s; touch /t3/x'],
    code => 1, want => qr/No space left/;
case '--tmpfs: over a directory with contents', opts => ['--tmpfs', '/data'],
    cmd => ['sh', '-c', 'ls -A /data | wc -l; stat -c %a /data'],
    want => qr/^0/m;
case '--mount type=tmpfs', opts => ['--mount',
	'type=tmpfs,destination=/t,tmpfs-size=65536,tmpfs-mode=1770'],
    cmd => ['sh', '-c', 'probe stat /t; df -k /t | tail -1 | awk "{print \$2}"'],
    want => qr/64/;
case '/dev/shm: size by default', cmd => ['sh', '-c',
	'df -k /dev/shm | tail -1 | awk "{print \$2}"; probe stat /dev/shm'],
    want => qr/65536/;
case '--shm-size', opts => ['--shm-size', '7m'], cmd => ['sh', '-c',
	'df -k /dev/shm | tail -1 | awk "{print \$2}"; head -c 9000000 /dev/zero >/dev/shm/x'],
    code => 1, want => qr/7168/;

run_cases();
