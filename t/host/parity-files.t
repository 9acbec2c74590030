#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A tenth of the comparison table, under KVM and by vsock:
# the root file system, volumes, tmpfs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use Host::Look;

compare('devices: they work',
    'root: file semantics$',
    'a tree of 1,000 files',
    '--read-only: writes fail',
    '-v: a directory$',
    '-v: what the host writes',
    '--tmpfs: options',
    'docker cp');
done_testing();
