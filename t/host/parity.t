#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A tenth of the comparison table, under KVM and by vsock: cases for each
# carrier, device and kind of file system.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../e2e/lib";
use Host;
use Test::More;
use E2E;
use Host::Look;

my %pick = (
	files => 'devices: they work|root: file semantics$|' .
	    'a tree of 1,000 files|--read-only: writes fail|-v: a directory$|' .
	    '-v: what the host writes|--tmpfs: options|docker cp',
	lifecycle => 'every signal|SIGTERM, trapped|pause and unpause|' .
	    'docker restart|rm -f of a running|update of a running',
	network => 'bridge: addresses|IPv6: address|networks: three|' .
	    'published port: host|MTU of 9000|container: 20 MB',
	process => 'args: newlines|1,000 variables|capabilities: Docker|' .
	    'seccomp: Docker\'s profile$|exit code 137|setuid and setgid|' .
	    '--sysctl|not found: 127',
	streams => 'stdin: 20 MB counted|100 MB and exit|all byte values|' .
	    'tty: the size follows|tty: detach keys|logs: both|' .
	    'attach: stdin and stdout',
);

for my $table (sort keys %pick) {
	local $ENV{RUNQ_E2E_CASE} = $pick{$table};
	tap_of($table, $^X, "$FindBin::Bin/../e2e/parity-$table.t");
}
done_testing();
