#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# make release, release-install, uninstall: two builds give the same bytes,
# what is installed belongs to root, a changed tar file is refused, containers
# run, and nothing is left.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Cwd ();
use Test::More;
use E2E;

need_runq();
plan skip_all => 'autoconf has not run in ' . $SRC if !-x "$SRC/configure";

my $dir = tempdir();
my $prefix = "$dir/prefix/runq";
my $runtime = "$PREFIX-release";
my @flags = ("--prefix=$prefix", 'CFLAGS=-O1 -g');

sub must {
	my ($argv, %how) = @_;
	my $p = run($argv, timeout => 600, %how);

	is $p->code, 0, $how{name} // "@$argv" or BAIL_OUT($p->out . $p->err);
	return $p;
}

# "mode owner group type path" of all below a folder.
sub listing {
	my ($top) = @_;

	return '' if !-d $top;
	return join '', sort map { "$_\n" } split /\n/, run(['find', $top,
	    '-mindepth', '1', '-printf', '%m %U %G %y %P\n'])->out;
}

sub sums {
	my ($top) = @_;

	return run(['sh', '-c', 'cd "$1" && find . -type f -print0 | sort -z |
	    xargs -0 sha256sum', 'sh', $top])->out;
}

# ---- two builds, in folders of different names and shapes ----
mkdir "$dir/$_" for qw(one other unpacked prefix);
must(['sh', '-c', 'cd "$1" && tar -c --exclude=./.git --exclude=./build . |
    tar -x -C "$2" && image/epoch >"$2/.epoch"', 'sh', $SRC, "$dir/other"], name => 'a copy of the sources');
my $build = 'cd "$1" && shift && configure=$1 && shift &&
    { "$configure" "$@" && make -s && make release; } >log 2>&1 ||
    { tail -n 20 log; exit 1; }';
my @builds = map {
	start(['sh', '-c', $build, 'sh', "$dir/$_->[0]", $_->[1], @flags])
} ['one', "$SRC/configure"], ['other', './configure'];
$_->finish(600) for @builds;
is $_->code, 0, 'a build' or BAIL_OUT($_->out . $_->err) for @builds;
my ($tar, $other) = map { (glob "$dir/$_/runq-*-*.tar.gz")[0] // '' }
    qw(one other);
is run(['cmp', $tar, $other])->code, 0, 'two builds give the same bytes'
    or diag run(['sh', '-c', 'for i; do mkdir "$i.d" && tar -xzf "$i" ' .
	'-C "$i.d" --strip-components=1; done; diff "$1.d/SHA256SUMS" ' .
	'"$2.d/SHA256SUMS"', 'sh', $tar, $other])->out;

# ---- what is in it ----
must(['tar', '-C', "$dir/unpacked", '--strip-components=1', '-xzf', $tar]);
my $un = "$dir/unpacked";
ok -s "$un/$_", "it has $_" for qw(README.md LICENSE doc/guide.md daemon.json
    install uninstall MANIFEST SHA256SUMS runq/runq runq/runq-exec
    runq/image/mkcerts runq/share/man/man8/runq.8
    runq/share/man/man1/runq-exec.1 runq/qemu/mkcerts.sh);
ok scalar(() = glob "$un/runq/qemu/boot/$_-*"), "it has a $_"
    for qw(vmlinux initrd);

# ---- refused ----
# As it is after a change, what install says; the prefix is not touched.
sub refused {
	my ($what, $change, $words) = @_;
	my $copy = "$dir/changed";

	must(['cp', '-al', $un, $copy]);
	$change->($copy);
	my $p = run(["$copy/install"]);
	isnt $p->code, 0, "refused: $what";
	like $p->err, $words, 'with words';
	ok !-e $prefix, 'and nothing is installed';
	run(['rm', '-rf', $copy]);
}

sub replace_file { # hard links: the original stays
	my ($path, $text) = @_;

	unlink $path;
	spew($path, $text);
}

refused('a changed program', sub {
	replace_file("$_[0]/runq/runq", slurp("$un/runq/runq") . "\0")
}, qr{runq/runq: FAILED});
refused('a file too many', sub { spew("$_[0]/runq/qemu/sbin/more", 'x') },
    qr{SHA256SUMS does not have the files.*qemu/sbin/more}s);
refused('a file too few', sub { unlink "$_[0]/runq/runq-exec" },
    qr{runq-exec: FAILED open});
refused('a link that leads elsewhere', sub {
	unlink "$_[0]/runq/qemu/certs";
	symlink '/etc', "$_[0]/runq/qemu/certs";
}, qr{MANIFEST does not have.*qemu/certs -> /etc}s);
my $bytes = slurp($tar);
spew("$dir/one/saved", $bytes);
substr $bytes, length($bytes) / 2, 1, chr(ord(substr $bytes,
    length($bytes) / 2, 1) ^ 1);
spew($tar, $bytes);
isnt run(['make', '-s', '-C', "$dir/one", 'release-install'])->code, 0,
    'refused: a changed tar file';
ok !-e $prefix, 'and nothing is installed';
rename "$dir/one/saved", $tar;

# ---- without a build tree, a compiler, apt ----
mkdir "$dir/bin";
for my $path (glob '/usr/sbin/* /usr/bin/*') {
	my ($name) = $path =~ m{([^/]+)$};
	next if $name =~ /^(.*gcc.*|cc|.*clang.*|g?make|ld.*|as|strip|readelf|
	    perl.*|jq|apt.*|dpkg.*|git)$/x;
	symlink $path, "$dir/bin/$name";
}
must(["$un/install", '--destdir', "$dir/dest"],
    env => { PATH => "$dir/bin" });
my $dest = "$dir/dest$prefix";

# ---- who may change what ----
my %mode = (d => 755, l => 777);
my @odd;
for (split /\n/, listing($dest)) {
	my ($mode, $uid, $gid, $type, $path) = split / /, $_, 5;
	my @want = $type eq 'f' ? (644, 755) :
	    $path =~ m{^(certs|qemu/run)$} ? 700 : $mode{$type};
	push @odd, $_ if $uid || $gid || $path =~ /\.new/ ||
	    !grep { $mode eq $_ } @want;
}
is "@odd", '', 'all is root\'s, nobody else may change it';
ok -x "$dest/$_", "$_ can be executed" for qw(runq runq-exec qemu/sbin/supervisor
    image/register qemu/mkcerts.sh);

# ---- for real ----
must(['make', '-s', '-C', "$dir/one", 'release-install']);
is listing($prefix), listing($dest), 'both ways of installing do the same';
is sums($prefix), sums($dest), 'with the same contents';
must(["$prefix/qemu/mkcerts.sh"]);
my $keys = sums("$prefix/certs") . slurp("$prefix/key.pem");
must(["$prefix/image/register", $runtime, "$prefix/runq", '--accel', 'tcg']);
must(["$prefix/image/reload-docker", "$runtime=$prefix/runq"]);
my @run = ('run', run_args($runtime, "$PREFIX-1"));
my $p = docker(@run, '--rm', BUSYBOX, 'uname', '-r');
is $p->code, 0, 'a container runs' or diag $p->err;
isnt $p->out, run(['uname', '-r'])->out, 'on a kernel of its own';

docker_ok(@run, '-d', BUSYBOX, 'sleep', '1000000');
$p = run(["$prefix/image/uninstall"]);
isnt $p->code, 0, 'no removal while a container runs';
like $p->err, qr/containers of runq run \(PID [\d ]+\)/, 'with words';
ok -x "$prefix/runq", 'and nothing is removed';
isnt run(['make', '-s', '-C', "$dir/one", 'uninstall'])->code, 0,
    'nor by make';
ok -x "$prefix/runq", 'and nothing is removed';

# ---- again, over what is there ----
spew("$prefix/image/stale", 'of an earlier release');
spew("$prefix/image/MANIFEST", slurp("$prefix/image/MANIFEST") .
    "f 644 image/stale\n");
must(["$un/install"]);
is sums("$prefix/certs") . slurp("$prefix/key.pem"), $keys,
    'certificates stay';
ok !-e "$prefix/image/stale", 'what the release has no more goes';
is docker('exec', "$PREFIX-1", 'echo', 'alive')->out, "alive\n",
    'a running container keeps its image folder';
docker_ok('rm', '-f', "$PREFIX-1");
$p = docker(@run, '--rm', BUSYBOX, 'echo', 'again');
is $p->out, "again\n", 'a container runs' or diag $p->err;

# ---- nothing is left ----
mkdir "$dir/cache";
spew("$dir/cache/users", "$prefix/qemu\n$dir/gone/qemu\n");
$p = run(["$prefix/image/uninstall", '--cache', "$dir/cache"]);
is $p->code, 0, 'uninstall' or diag $p->err;
ok !-e $prefix, 'the folder is gone' or diag listing($prefix);
ok !-e "$dir/cache", 'so is a cache that nobody else uses';
unlike slurp('/etc/docker/daemon.json') // '', qr/\Q$prefix/,
    'dockerd\'s configuration does not name it';
unlike docker_ok('info', '-f', '{{json .Runtimes}}'), qr/\Q$runtime/,
    'nor does dockerd know it';
must(["$un/uninstall", '--destdir', "$dir/dest"]);
is listing("$dir/dest") =~ s/.* d .*\n//gr, '', 'nor anything in a destdir';
must(['make', '-s', '-C', "$dir/one", 'install']);
must(["$prefix/qemu/../image/mkcerts"]);
must(['make', '-s', '-C', "$dir/one", 'uninstall',
	'UNINSTALL_FLAGS=--keep-certs']);
is join(' ', map { s{.*/}{}r } glob "$prefix/*"), 'ca.pem cert.pem certs key.pem',
    'certificates are kept when asked for';
must(['make', '-s', '-C', "$dir/one", 'uninstall']);
ok !-e $prefix, 'make uninstall leaves nothing' or diag listing($prefix);

# A test that died leaves no runtime behind.
END {
	run(["$prefix/image/uninstall"]) if $prefix && -d $prefix;
}

done_testing();
