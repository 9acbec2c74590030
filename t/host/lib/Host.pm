# SPDX-License-Identifier: Apache-2.0
# Takes a test into the test host:
#
#	use Host;
#
# as the first thing of a test (or "use Host outer => 1", and the test drives
# VMs itself). On the outer machine the test ends here: it is
# run again in the test host, and what it says there is what it says. A test
# host whose emulated CPU failed is tried again, at most twice, and counted in
# LOGS/repeats; what a failed run leaves is kept in LOGS/NAME and shown.
package Host;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use Time::HiRes ();

our $SRC = abs_path(dirname(abs_path(__FILE__)) . '/../../..');
our $CACHE = $ENV{RUNQ_HOST_CACHE} // '/var/cache/runq/host';
our $LOGS = $ENV{RUNQ_HOST_LOGS} // '/var/tmp/runq-host-logs';

use constant REPEATS => 2;

sub inside { return -d '/usr/local/lib/testhost' && -d '/src/t/host' }

sub import {
	my ($class, %how) = @_;

	return if $^C;
	if (inside()) {
		$ENV{RUNQ_E2E_RUNTIME} //= 'runq';
		require E2E;
		# E2E's own END removes the containers: this one is run first
		eval 'END { Host::_keep() } 1' or die $@;
		return;
	}
	prepare();
	# so that a VM ends with the test
	$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);
	return if $how{outer};
	exit take_inside(abs_path($0), $how{timeout} // 1800);
}

# Ends the test as skipped where there is no test host and none can be made.
sub prepare {
	skip_all('needs root') if $> != 0;
	if (!$ENV{RUNQ_HOST_MADE}) {
		my $said = qx('$SRC/t/host/make' 2>&1);
		my ($why) = $said =~ /([^\n]+)\n*\z/;
		skip_all("no test host: $why") if $? != 0;
	}
	skip_all("no test host in $CACHE") if !-e "$CACHE/current/devices";
}

sub skip_all {
	print "1..0 # SKIP $_[0]\n";
	exit 0;
}

sub log_dir {
	my ($name) = @_;
	my $dir = "$LOGS/$name";

	system 'rm', '-rf', $dir;
	system('mkdir', '-p', $dir) == 0 or die "mkdir $dir";
	return $dir;
}

# Says so, and once more for the summary.
sub count_repeat {
	my ($name, $why) = @_;

	print STDERR "# $name: the test host died ($why): once more\n";
	open my $f, '>>', "$LOGS/repeats" or die "$LOGS/repeats: $!";
	print $f "$name: $why\n";
}

# What a failed test says when a guest's kernel died before the agent was
# started: nothing of ours runs in it by then, its CPU is the emulated one.
my $guest_fault;

sub guest_fault {
	return $_[0] =~ /(guest console: .*Comm: swapper.*)/ ? $1 : undef;
}

# Runs $once, with a new folder, until no emulated CPU fails; it returns the
# VM and what is to be known. That is returned, without the VM.
sub attempts {
	my ($name, $once) = @_;

	for my $try (0 .. REPEATS) {
		my ($vm, @result) = $once->(log_dir($name));
		my $fault = $vm->failed // $guest_fault;
		$vm->stop;
		return @result if !$fault || $try == REPEATS;
		count_repeat($name, $fault);
	}
}

sub take_inside {
	my ($test, $timeout) = @_;
	(my $name = basename($test)) =~ s/\.t$//;

	require Host::VM;
	my ($out, $status, $why) = attempts($name, sub {
		return _once($name, $_[0], $timeout) });
	print $out;
	show("$LOGS/$name", $why) if $status != 0;
	return $status;
}

# (VM, TAP, status, what that means)
sub _once {
	my ($name, $dir, $timeout) = @_;
	my $vm = Host::VM->new(from => abs_path("$CACHE/current"), job => $dir,
	    src => $SRC, console => "$dir/console");
	open my $tap, '>', "$dir/tap" or die "$dir/tap: $!";
	my ($out, $err) = ('', '');
	my $patience = $ENV{RUNQ_E2E_PATIENCE} // 3; # as in E2E::Proc
	my ($what, $detail) = $vm->job("RUNQ_E2E_PATIENCE=$patience " .
	    "perl -I/src/t/host/lib -I/src/t/e2e/lib /src/t/host/$name.t",
	    timeout => $timeout * $patience / 3, out => sub {
		$out .= $_[0];
		syswrite $tap, $_[0];
	    }, err => sub {
		$err .= $_[0];
		print STDERR $_[0];
	    });

	$guest_fault = $what eq 'exit' && $detail ? guest_fault($err) : undef;
	return $what eq 'exit' ? ($vm, $out, $detail, "status $detail") :
	    ($vm, $out, 1, $detail);
}

sub show {
	my ($dir, $why) = @_;

	print STDERR "# in the test host: $why; all that it left is in $dir\n";
	for my $file (map { glob "$dir/$_" }
	    qw(*.log containers dmesg console*)) {
		next if !-s $file;
		my @lines = _lines($file);
		splice @lines, 0, -25 if @lines > 25;
		print STDERR map { "# $_\n" } '---- ' . basename($file), @lines;
	}
}

sub _lines {
	open my $f, '<', $_[0] or return;
	chomp(my @lines = <$f>);
	return @lines;
}

# Inside, at the end of a test that failed.
sub _keep {
	system '/src/t/host/keep' if !Test::More->builder->is_passing && -d '/job';
}

1;
