#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A tenth of the comparison table, under KVM and by vsock:
# bridge, IPv6, several networks, ports.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use Host::Look;

compare('bridge: addresses',
    'IPv6: address',
    'networks: three',
    'published port: host',
    'MTU of 9000',
    'container: 20 MB');
done_testing();
