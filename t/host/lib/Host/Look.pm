# SPDX-License-Identifier: Apache-2.0
# What tests in the test host look at: the VM behind a container, programs
# with their output, other tests' verdicts.
package Host::Look;
use strict;
use warnings;
use Exporter 'import';
use TAP::Parser;
use Test::More ();
use E2E;

our @EXPORT = qw(up up_with qemu_pid qemu_args guest_cid qemu_has_open runq runq_fails
    tap_of compare without_module);

# A container that runs and answers docker exec.
sub up { return up_with([], @_) }

# The same by these arguments of the runtime.
sub up_with {
	my ($args, $name, @opts) = @_;

	docker_ok('run', '-d', run_args(_runtime(@$args), "$PREFIX-$name"),
	    @opts, TEST_IMAGE, 'sleep', '100000');
	eventually(90, sub {
		docker('exec', "$PREFIX-$name", 'true')->code eq '0' }) or
	    die "$name does not answer: " .
	    docker('logs', "$PREFIX-$name")->err;
	return "$PREFIX-$name";
}

sub qemu_pid {
	my ($name) = @_;
	my $pids = container_pids($name);

	return (grep { $pids->{$_} =~ /^qemu/ } keys %$pids)[0];
}

sub qemu_args {
	my ($name) = @_;
	my $pid = qemu_pid($name) or return '';

	return join ' ', split /\0/, slurp("/proc/$pid/cmdline") // '';
}

sub guest_cid { return (qemu_args($_[0]) =~ /guest-cid=(\d+)/)[0] }

sub qemu_has_open {
	my ($name, $what) = @_;
	my $pid = qemu_pid($name) or return 0;

	return scalar grep { (readlink // '') =~ /$what/ }
	    glob "/proc/$pid/fd/*";
}

# A container by these arguments of the runtime, to its end.
my $number = 0;

sub runq {
	my ($args, $opts, @cmd) = @_;
	my $runtime = _runtime(@$args);

	$number++;
	return docker('run', '--rm', run_args($runtime, "$PREFIX-c$number"),
	    @$opts, TEST_IMAGE, @cmd);
}

# The name of a runtime with these arguments.
sub _runtime {
	my @args = @_ or return $RUNTIME;
	my $name = "$PREFIX@args" =~ s/[^\w.]+/-/gr;

	register_runtime($name, $RUNQ, @args);
	return $name;
}

# The verdicts of another test, one by one.
sub tap_of {
	my ($what, @command) = @_;
	my $p = run([@command], timeout => 1500);
	my $parser = TAP::Parser->new({ tap => $p->out });
	my $note = '';

	while (my $result = $parser->next) {
		if ($result->is_test) {
			my $name = $result->description =~ s/^- //r;
			$result->has_skip ? Test::More::note(
			    "skipped: $name: " . $result->explanation) :
			    Test::More::ok($result->is_ok, "$what: $name");
		} elsif ($result->is_plan && $parser->skip_all) {
			Test::More::note("$what: skipped: " . $parser->skip_all);
		}
	}
	Test::More::is($p->code, 0, "$what: its exit status") or
	    Test::More::diag($p->err);
	return $p;
}

# Rows of the comparison table of t/e2e whose names match; the file of that table
# has this test's name.
sub compare {
	my @rows = @_;
	(my $table = $0) =~ s{.*/}{};

	local $ENV{RUNQ_E2E_CASE} = join '|', @rows;
	my $p = tap_of($table =~ s/\.t$//r, $^X, "$SRC/t/e2e/$table");
	my $run = () = $p->out =~ /^(not )?ok /mg;
	Test::More::cmp_ok($run, '>=', @rows, 'each of the patterns has its row');
}

# Takes a module out, for good: modprobe does not find it either.
sub without_module {
	my (@modules) = @_;

	spew("/etc/modprobe.d/$modules[0].conf",
	    join '', map { "install $_ /bin/false\n" } @modules);
	# who has it open may be about to end
	return eventually(20, sub {
		run(['modprobe', '-r', @modules]);
		!-d "/sys/module/$modules[0]";
	});
}

1;
