#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# containerd without dockerd, Podman, and crun as the delegate, each on cgroup
# v2: the end-to-end test of them, of which nothing may be skipped here.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use E2E;
use Host::Look;

my $p = tap_of('engines', $^X, "$FindBin::Bin/../e2e/engines.t");
unlike $p->out, qr/# skip (Podman|containerd|crun): (not|does not|no socket)/i,
    'none of them is skipped' or diag $p->out;
done_testing();
