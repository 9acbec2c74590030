#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A tenth of the comparison table, under KVM and by vsock:
# arguments, capabilities, seccomp, users, exit codes.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use Host::Look;

compare('args: newlines',
    '1,000 variables',
    'capabilities: Docker',
    "seccomp: Docker's profile\$",
    'exit code 137',
    'setuid and setgid',
    '--sysctl',
    'not found: 127');
done_testing();
