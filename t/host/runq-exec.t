#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# runq-exec by ordinary users: group docker may, over the installed
# certificates; others may not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use E2E;
use Host::Look;

plan(skip_all => 'runq-exec is not installed') if !-x '/var/lib/runq/runq-exec';

my $name = up('box');
my $exec = '/var/lib/runq/runq-exec';

sub as {
	my ($user, @command) = @_;

	return run(['setpriv', '--reuid', $user, '--regid', $user,
		'--init-groups', '--reset-env', @command], timeout => 60);
}

my $p = as('member', $exec, $name, 'sh', '-c', 'echo out; echo err >&2; exit 6');
is $p->code, 6, 'a member of group docker: the exit status' or diag $p->err;
is $p->out, "out\n", 'a member of group docker: stdout';
is $p->err, "err\n", 'a member of group docker: stderr';
$p = as('stranger', $exec, inspect($name)->{Id}, 'true');
isnt $p->code, 0, 'a stranger: refused';
like $p->err, qr/key\.pem|docker\.sock|[Pp]ermission/,
    'a stranger: the sentence says why';
done_testing();
