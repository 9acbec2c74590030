#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The programs for s390x, built here, and their unit tests under qemu-user. What
# that emulator lacks is skipped by the tests themselves and listed. Needs no
# root when the sysroot is there (image/sysroot); the build is in
# $BUILDDIR/s390x and made anew only where something changed.
use strict;
use warnings;
use File::Basename;
use File::Spec;
use Test::More;
use TAP::Parser;

my $arch = 's390x';
my $top = File::Spec->rel2abs(dirname(__FILE__) . '/..');
my $build = File::Spec->rel2abs($ENV{BUILDDIR} || "$top/build") . "/$arch";
my $deadline = 600; # seconds for one program, far more than it takes

sub have {
	my ($program) = @_;

	return grep { -x "$_/$program" } File::Spec->path;
}

plan skip_all => 'this is s390x: make check tests it' if `uname -m` =~ /$arch/;
for (["$arch-linux-gnu-gcc", "gcc-$arch-linux-gnu"],
    ["qemu-$arch", 'qemu-user']) {
	plan skip_all => "$_->[0] is missing: apt-get install $_->[1]"
	    unless have($_->[0]);
}

my @options = -e "$build/.cross" ? () : ('--', '--enable-werror');
open my $pipe, '-|', "'$top/image/cross' --make all --make check-programs " .
    "$arch '$build' @options 2>&1" or die "image/cross: $!";
my @said = grep { !/^  [A-Z]+ / } <$pipe>; # what make is at
ok close $pipe, "everything builds for $arch" or do {
	diag @said;
	done_testing;
	exit;
};
is join('', grep { /warning/i } @said), '', 'without a warning';

my ($emulator, @programs) = split /\n/, `make -s -C '$build' check-list`;
cmp_ok @programs, '>', 20, 'there are tests';
$ENV{EMULATOR} = $emulator;
$ENV{T_SRCDIR} = $top;
$ENV{T_BUILDDIR} = $build;
chdir $build or die "$build: $!";

for my $program (@programs) {
	my (@failed, @skipped);
	my $name = basename($program);
	my $tap = TAP::Parser->new({
		exec => ['timeout', $deadline, "$top/t/unit/exec", $program],
		merge => 1 });

	while (my $line = $tap->next) {
		if ($line->is_plan && $line->has_skip) {
			push @skipped, 'all: ' . $line->explanation;
		} elsif ($line->is_test && $line->has_skip) {
			push @skipped, ($line->description =~ s/^- //r) .
			    ': ' . $line->explanation;
		} elsif ($line->is_test && !$line->is_ok ||
		    @failed && $line->is_comment) {
			push @failed, $line->as_string;
		}
	}
	ok !$tap->has_problems && $tap->exit == 0,
	    "$name: " . $tap->tests_run . ' tests' or
	    diag join "\n", @failed, 'exit status ' . $tap->exit,
	    $tap->parse_errors;
	for (@skipped) {
		my ($what, $why) = /(.*): (.*)/;

		SKIP: {
			skip "$name, $what: $why", 1;
		}
	}
}
done_testing;
