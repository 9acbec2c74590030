# SPDX-License-Identifier: Apache-2.0
# prove's harness with three additions: tests that count what the whole machine
# has left over run alone; before the summary, skips are counted and explained,
# and test hosts that died and were tried again are.
package E2E::Harness;
use strict;
use warnings;
use parent 'TAP::Harness';

my @alone = ('**leftover.t');
my $repeats = ($ENV{RUNQ_HOST_LOGS} // '/var/tmp/runq-host-logs') . '/repeats';

sub new {
	my ($class, $args, @more) = @_;
	my %args = (%{ $args || {} }, rules => { seq => [
		map({ { seq => $_ } } @alone),
		{ par => '**' },
	] });
	my $self = $class->SUPER::new(\%args, @more);
	my %skipped;

	unlink $repeats; # see t/host/lib/Host.pm
	$self->callback(made_parser => sub {
		my ($parser, $job) = @_;
		$parser->callback(test => sub {
			push @{ $skipped{ $job->[0] } }, $_[0]->description .
			    ': ' . $_[0]->explanation if $_[0]->has_skip;
		});
		$parser->callback(plan => sub {
			push @{ $skipped{ $job->[0] } }, 'all: ' .
			    $_[0]->explanation if $_[0]->has_skip;
		});
	});
	$self->{skipped} = \%skipped;
	return $self;
}

sub _lines {
	open my $f, '<', $_[0] or return;
	return <$f>;
}

sub summary {
	my ($self, @args) = @_;
	my $skipped = $self->{skipped};
	my $count = map { @$_ } values %$skipped;

	print "\nSkipped: $count\n";
	for my $file (sort keys %$skipped) {
		(my $name = $file) =~ s{.*/t/}{t/};
		my %times;
		$times{ s/^[\s:-]+//r }++ for @{ $skipped->{$file} };
		print "  $name: $_", ($times{$_} > 1 ? " ($times{$_} times)" : ''),
		    "\n" for sort keys %times;
	}
	my @again = _lines($repeats);
	print 'Test hosts that died and were tried again: ' . @again . "\n";
	print "  $_" for @again;
	return $self->SUPER::summary(@args);
}

1;
