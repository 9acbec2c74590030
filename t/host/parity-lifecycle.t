#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A tenth of the comparison table, under KVM and by vsock:
# signals, pause, restart, removal, update.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use Host::Look;

compare('docker kill -s: by name',
    'SIGTERM, trapped',
    'pause and unpause',
    'docker restart',
    'rm -f of a running',
    'update of a running');
done_testing();
