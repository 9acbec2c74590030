# SPDX-License-Identifier: Apache-2.0
# prove's harness with two additions: tests that count what the whole machine
# has left over run alone, and skips are counted and explained before the
# summary.
package E2E::Harness;
use strict;
use warnings;
use parent 'TAP::Harness';

my @alone = ('**leftover.t');

sub new {
	my ($class, $args, @more) = @_;
	my %args = (%{ $args || {} }, rules => { seq => [
		{ par => '**parity-*.t' },
		map({ { seq => $_ } } @alone),
		{ par => '**' },
	] });
	my $self = $class->SUPER::new(\%args, @more);
	my %skipped;

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
	return $self->SUPER::summary(@args);
}

1;
