#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A tenth of the comparison table, under KVM and by vsock:
# stdin, stdout, terminals, logs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use Host::Look;

compare('stdin: 20 MB counted',
    '100 MB and exit',
    'all byte values',
    'tty: the size follows',
    'tty: detach keys',
    'logs: both',
    'attach: stdin and stdout');
done_testing();
