#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The table of docker run's options in doc/guide.md: it has all of them, and
# the tests that it names are there and use the option.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

my $guide = slurp("$SRC/doc/guide.md");
my ($section) = $guide =~ /^## Options of docker run[^\n]*\n(.*?)(?=^## |\z)/ms;
ok $section, 'the guide has a section of options' or BAIL_OUT('no section');

# ---- every option of the client ----
my %named = map { $_ => 1 } $section =~ /`(--?[a-z0-9-]+)/g;
my @missing = grep { !$named{$_} }
    docker('run', '--help')->out =~ /^\s+(?:-\w, +)?(--[a-z0-9-]+)/gm;
is "@missing", '', 'every option of docker run is in it';

# ---- every test ----
my (@wrong, %text);
my $tests = 0;

sub test_text { # FILE
	return $text{ $_[0] } //= slurp("$SRC/t/e2e/$_[0]");
}

# Any of the option's spellings, also -it for -i; in a test of another file the
# table itself would do.
sub uses {
	my ($file, @options) = @_;

	for my $option (@options) {
		my $re = $option =~ /^-(\w)$/ ? qr/['" ]-\w?$1\w?['" ]/ :
		    qr/\Q$option\E/;
		return 1 if test_text($file) =~ $re;
	}
	return 0;
}

for my $row ($section =~ /^\| (`[^\n]*) \|$/mg) {
	my ($options, $where) = split / \| /, $row, 2;
	my @options = $options =~ /`(?:-e )?(-?-?\w[\w-]*)/g;
	next if $where eq 'all';
	for my $part (split /; /, $where) {
		my ($file, $cases) = $part =~ /^([a-z0-9-]+\.t)(.*)$/;
		if (!$file || !defined test_text($file)) {
			push @wrong, "$options: no test $part";
			next;
		}
		$tests++;
		push @wrong, "$options: $file does not use it"
		    if !uses($file, @options);
		for my $case ($cases =~ /"([^"]*)"/g) {
			push @wrong, "$options: $file has no \"$case\""
			    if index(test_text($file), $case) < 0;
		}
	}
}
is join("\n", @wrong), '', 'every test that it names is there';
cmp_ok $tests, '>', 50, 'and they are many';

done_testing();
