# SPDX-License-Identifier: Apache-2.0
# What all end-to-end tests share: the two runtimes, the images, commands
# with deadlines, and the removal of everything that a test made.
package E2E;
use strict;
use warnings;
use Cwd ();
use Exporter 'import';
use Fcntl ':flock';
use File::Basename ();
use File::Temp ();
use JSON::PP ();
use Test::More ();
use Time::HiRes ();
use E2E::Proc;

our @EXPORT = qw($RUNTIME $REFERENCE $PREFIX $RUNQ $SRC $BUILD
    BUSYBOX TEST_IMAGE DEBIAN_IMAGE
    run start docker docker_ok run_args eventually slurp spew tempdir
    inspect api need_runq find_program container_pid container_pids
    leftovers register_runtime unregister_runtime progress follows_size);

# The runtime under test, what it is compared with, and where things are.
our $RUNTIME = $ENV{RUNQ_E2E_RUNTIME} // 'runq-tcg';
our $REFERENCE = $ENV{RUNQ_E2E_REFERENCE} // 'runc';
our $SRC = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../..');
our $BUILD = $ENV{BUILDDIR} // "$SRC/build";
our $HOME = $ENV{RUNQ_HOME} // '/var/lib/runq';
our $RUNQ = "$HOME/runq";
our $PREFIX = "runq-e2e-$$";

use constant {
	BUSYBOX => 'busybox', TEST_IMAGE => 'runq-e2e',
	DEBIAN_IMAGE => 'runq-e2e-debian',
};

# Docker's client, the one of the daemon's version where several are there:
# a newer one refuses what it does not want to translate.
my $client = _client();
my $owner = $$;
my @registered;

sub _client {
	my @found = grep { -x } map { "$_/docker" } split /:/, $ENV{PATH};

	for my $path (@found) {
		my $out = qx($path version -f '{{.Client.Version}} {{.Server.Version}}' 2>&1);
		my ($own, $server) = $out =~ /^(\d+\.\d+)\S* (\d+\.\d+)/ or next;
		return $path if $own eq $server;
	}
	return $found[0] // 'docker';
}

sub start {
	my ($argv, %how) = @_;
	my @argv = @$argv;

	$argv[0] = $client if $argv[0] eq 'docker';
	return E2E::Proc->start(\@argv, %how);
}

# The same to its end; timeout is in seconds.
sub run {
	my ($argv, %how) = @_;
	my $timeout = delete $how{timeout} // 180;
	my $proc = start($argv, %how);

	$proc->finish($timeout);
	return $proc;
}

# docker(@args) or docker([@args], %how): a finished E2E::Proc.
sub docker {
	my ($argv, %how) = ref $_[0] ? @_ : [@_];

	return run(['docker', @$argv], %how);
}

# The same where only success makes sense; returns stdout, chomped.
sub docker_ok {
	my $proc = docker(@_);

	die sprintf "%s: status %s: %s\n", join(' ', @{ $proc->{argv} }),
	    $proc->code, $proc->err if $proc->code ne '0';
	chomp(my $out = $proc->out);
	return $out;
}

# The beginning of every `docker run` or `docker create`: a name and a label
# by which END finds the container.
sub run_args {
	my ($runtime, $name) = @_;

	return ('--runtime', $runtime, '--name', $name, '--label',
	    "runq-e2e=$PREFIX");
}

# Calls $check until it is true, at most for $seconds: its value or ''.
sub eventually {
	my ($seconds, $check) = @_;
	my $deadline = Time::HiRes::time() + $seconds * $E2E::Proc::PATIENCE;
	my $value;

	until ($value = $check->()) {
		return '' if Time::HiRes::time() > $deadline;
		Time::HiRes::sleep(0.05);
	}
	return $value;
}

# Makes a terminal wider until `probe winsize` in it has seen that: '' if never.
# Docker's client begins to wait for SIGWINCH only when its first resize was
# answered, which is after the process has seen that size: what comes in between
# is lost to it.
sub follows_size {
	my ($p) = @_;
	my $columns = 200;

	return eventually(30, sub {
		$p->resize(24, ++$columns);
		return defined $p->expect(qr/size 24 $columns/, 1);
	});
}

sub slurp {
	my ($path) = @_;

	open my $f, '<:raw', $path or return undef;
	local $/;
	return scalar <$f>;
}

sub spew {
	my ($path, $text) = @_;

	open my $f, '>:raw', $path or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
	return $path;
}

# Below /var/tmp: tests bind-mount it, and /tmp may be a tmpfs.
sub tempdir {
	return File::Temp::tempdir("$PREFIX-XXXX", DIR => '/var/tmp',
	    CLEANUP => 1);
}

sub inspect {
	my ($name) = @_;
	my $proc = docker('inspect', $name);

	return undef if $proc->code ne '0';
	return JSON::PP::decode_json($proc->out)->[0];
}

# A request to dockerd's socket, for what its client cannot do alone.
sub api {
	my ($method, $path) = @_;

	return run(['curl', '-sS', '--unix-socket', '/var/run/docker.sock',
		'-X', $method, "http://docker$path"]);
}

sub find_program {
	my ($name) = @_;

	return (grep { -x } map { "$_/$name" } split(/:/, $ENV{PATH}),
	    '/usr/sbin', '/sbin')[0];
}

# Ends the test as skipped when the runtime under test is not runq itself,
# for tests of what only runq has.
sub need_runq {
	Test::More::plan(skip_all => "the runtime under test is $RUNTIME, " .
	    'these tests are about runq only')
	    if $RUNTIME !~ /^runq/;
	Test::More::plan(skip_all => "$RUNQ is not installed") if !-x $RUNQ;
}

sub container_pid {
	my $info = inspect($_[0]);

	return $info ? $info->{State}{Pid} : 0;
}

# { pid => command name } of all processes in the pid namespace of the
# container, as the host sees them.
sub container_pids {
	my ($name) = @_;
	my $pid = container_pid($name) or return {};
	my $ns = readlink "/proc/$pid/ns/pid" or return {};
	my %found;

	for my $dir (glob '/proc/[0-9]*') {
		next if (readlink("$dir/ns/pid") // '') ne $ns;
		chomp(my $comm = slurp("$dir/comm") // next);
		$found{ ($dir =~ /(\d+)$/)[0] } = $comm;
	}
	return \%found;
}

# What still exists of the container with the full id $id, as lines.
sub leftovers {
	my ($id) = @_;
	my @found;

	for my $dir (glob '/proc/[0-9]*') {
		my $text = (slurp("$dir/cgroup") // '') .
		    (slurp("$dir/cmdline") // '');
		next if $text !~ /\Q$id\E/;
		chomp(my $comm = slurp("$dir/comm") // '');
		push @found, "process $comm";
	}
	push @found, map { "mount $_" }
	    grep { /\Q$id\E/ } split /\n/, slurp('/proc/self/mounts') // '';
	push @found, map { "socket $_" }
	    grep { /\@.*\Q$id\E/ } split /\n/, slurp('/proc/net/unix') // '';
	my @dirs = grep { -d } '/run', '/sys/fs/cgroup', '/tmp',
	    '/var/lib/runq';
	my $find = run(['find', @dirs, '-xdev', '-name', "*$id*", '-prune']);
	push @found, map { "file $_" } split /\n/, $find->out;
	for my $cgroup (glob '/sys/fs/cgroup/*') {
		push @found, "cgroup $cgroup" if -d "$cgroup/docker/$id";
	}
	return @found;
}

# Registers a runtime with dockerd for the time of the test.
sub register_runtime {
	my ($name, $path, @args) = @_;

	push @registered, $name;
	_must("$SRC/image/register", $name, $path, @args);
	_must("$SRC/image/reload-docker", "$name=$path");
}

# Takes out what register_runtime put in, under the lock of image/register.
sub unregister_runtime {
	my @names = @_;
	my $dir = '/etc/docker';

	open my $lock, '<', $dir or die "$dir: $!";
	flock $lock, LOCK_EX or die "flock $dir: $!";
	my $config = JSON::PP->new->decode(slurp("$dir/daemon.json"));
	delete @{ $config->{runtimes} }{@names};
	spew("$dir/daemon.json.e2e",
	    JSON::PP->new->pretty->canonical->encode($config));
	rename "$dir/daemon.json.e2e", "$dir/daemon.json" or die "rename: $!";
	close $lock;
	_must("$SRC/image/reload-docker");
}

sub _must {
	my $proc = run([@_]);

	die "@_: ", $proc->out, $proc->err if $proc->code ne '0';
}

sub progress { Test::More::note(join '', @_) }

sub _ids { return split ' ', docker(@_)->out }

# Everything of this test, by label, whether it passed or died.
sub cleanup {
	my @filter = ('--filter', "label=runq-e2e=$PREFIX");
	my @ids = _ids('ps', '-aq', @filter);

	docker('rm', '-f', '-v', @ids) if @ids;
	@ids = _ids('network', 'ls', '-q', @filter);
	docker('network', 'rm', @ids) if @ids;
	@ids = _ids('volume', 'ls', '-q', @filter);
	docker('volume', 'rm', '-f', @ids) if @ids;
	@ids = _ids('image', 'ls', '-q', @filter);
	docker('image', 'rm', '-f', @ids) if @ids;
	unregister_runtime(splice @registered) if @registered;
}

$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);

END {
	if ($$ == $owner) {
		my $status = $?;
		cleanup();
		$? = $status;
	}
}

1;
