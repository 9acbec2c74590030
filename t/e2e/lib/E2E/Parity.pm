# SPDX-License-Identifier: Apache-2.0
# Parity by comparison: each case of a table is run by the reference runtime
# and by the runtime under test, and what was observed must be the same text.
#
#	case 'name',
#	    opts => [...],	options of docker run
#	    image => ..., cmd => [...],
#	    code => 0,		status that the reference must end with
#	    want => qr/.../,	what the reference must show
#	    compare => 'out err code',
#	    only => qr/.../,	the lines that matter
#	    except => [ 'a difference that is right' => qr/lines to drop/,
#			'another one' => [qr/text/, 'to write instead'] ],
#	    skip => sub { reason or '' },
#	    how => { stdin => ... }	see E2E::Proc
#
# or, for more than one command, do => sub { my ($c) = @_; ... } that returns
# the observation; $c is an E2E::Side. DIR in opts and cmd stands for
# a directory of the test's own, filled by files => { NAME => TEXT }.
package E2E::Parity;
use strict;
use warnings;
use Exporter 'import';
use Test::More;
use E2E;
use E2E::Side;

our @EXPORT = qw(case run_cases);

my @cases;

sub case {
	my ($name, %case) = @_;

	push @cases, { compare => 'out err code', code => 0, cmd => [],
	    opts => [], image => TEST_IMAGE, %case, name => $name };
}

sub _observe {
	my ($case, $side) = @_;

	return $case->{do}->($side) if $case->{do};
	my $proc = $side->run(@$case{qw(opts image cmd)},
	    %{ $case->{how} || {} });
	my %text = (out => $proc->out, err => $proc->err,
	    code => $proc->code . "\n");
	if ($proc->{sum}) {
		$text{$_} = $proc->bytes($_) . ' bytes, MD5 ' .
		    $proc->md5($_) . "\n" for qw(out err);
	}
	$side->{code} = $proc->code;
	$side->{text} = join "\n", @text{qw(out err)};
	return join '', map { "--- $_\n$text{$_}" }
	    split ' ', $case->{compare};
}

sub _normalize {
	my ($case, $side, $text) = @_;
	my @except = @{ $case->{except} || [] };

	$text =~ s/\Q$_->[0]\E/$_->[1]/g for $side->names;
	my @lines = split /\n/, $text;
	if (my $only = $case->{only}) {
		@lines = grep { /^---/ || /$only/ } @lines;
	}
	while (my ($reason, $what) = splice @except, 0, 2) {
		if (ref $what eq 'ARRAY') {
			_substitute($_, @$what) for @lines;
		} else {
			@lines = grep { !/$what/ } @lines;
		}
	}
	return join "\n", @lines;
}

# $1 to $9 in the replacement stand for what the parentheses matched.
sub _substitute {
	my ($re, $to) = @_[1, 2];

	$_[0] =~ s{$re}{
		my @group = map { defined $-[$_] ?
		    substr $_[0], $-[$_], $+[$_] - $-[$_] : '' } 1 .. $#+;
		$to =~ s/\$(\d)/$group[$1 - 1] \/\/ ''/ger;
	}ge;
}

sub _run_case {
	my ($case) = @_;
	my $name = $case->{name};
	my (%seen, %raw);

	for my $runtime ($REFERENCE, $RUNTIME) {
		my $which = %seen ? 'test' : 'reference';
		my $side = E2E::Side->new($case, $runtime, $which);
		my $text = eval { _observe($case, $side) };
		$text //= "died: $@";
		$raw{$which} = $text;
		$seen{$which} = _normalize($case, $side, $text);
		if ($which eq 'reference') {
			my $why = _reference_fault($case, $side, $text);
			$side->cleanup;
			return fail("$name: $why") if $why;
		}
		$side->cleanup;
	}
	my @except = @{ $case->{except} || [] };
	for (my $i = 0; $i < @except; $i += 2) {
		note "right to differ in $name: $except[$i]";
	}
	return pass($name) if $seen{reference} eq $seen{test};
	fail($name);
	diag _difference($seen{reference}, $seen{test});
}

# A case whose reference fails would compare two failures.
sub _reference_fault {
	my ($case, $side, $text) = @_;

	return "the reference $text" if $text =~ /\Adied:/;
	if (!$case->{do} && $side->{code} ne $case->{code}) {
		diag $side->{text};
		return "the reference ended with $side->{code}, " .
		    "not $case->{code}";
	}
	return "the reference shows no $case->{want} but:\n$text"
	    if $case->{want} && $text !~ $case->{want};
	return '';
}

# Lines that are only on one side, in diff(1)'s way.
sub _difference {
	my ($a, $b) = @_;
	my $dir = tempdir();
	my $diff = run(['diff', '-a', '-U', '1', '--label', $REFERENCE,
		'--label', $RUNTIME, spew("$dir/a", "$a\n"),
		spew("$dir/b", "$b\n")])->out;

	return length $diff > 6000 ? substr($diff, 0, 6000) . "\n[...]" : $diff;
}

sub run_cases {
	my $pick = $ENV{RUNQ_E2E_CASE};
	my @run = grep { !defined $pick || $_->{name} =~ /$pick/ } @cases;

	plan(skip_all => 'no case is named so') if !@run;
	plan(tests => scalar @run);
	for my $case (@run) {
		SKIP: {
			my $why = $case->{skip} ? $case->{skip}->() : '';
			skip("$case->{name}: $why", 1) if $why;
			_run_case($case);
		}
	}
}

1;
