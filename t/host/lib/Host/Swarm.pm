# SPDX-License-Identifier: Apache-2.0
# What tests of Docker Swarm share.
package Host::Swarm;
use strict;
use warnings;
use Exporter 'import';
use JSON::PP ();
use E2E;

our @EXPORT = qw(swarm_runtime swarm_tasks swarm_state);

# runq as the default runtime.
sub swarm_runtime {
	my $file = '/etc/docker/daemon.json';
	my $config = JSON::PP->new->decode(slurp($file));

	$config->{'default-runtime'} = 'runq';
	spew($file, JSON::PP->new->pretty->encode($config));
	run(["$SRC/image/reload-docker"]);
}

# The containers of a service's tasks that answer.
sub swarm_tasks {
	my ($service) = @_;

	return grep { docker('exec', $_, 'true')->code eq '0' }
	    split ' ', docker('ps', '-q', '--filter',
		"label=com.docker.swarm.service.name=$service")->out;
}

# For diagnostics.
sub swarm_state {
	my ($service) = @_;

	return docker('service', 'ps', '--no-trunc', $service)->out,
	    map { docker('logs', '--tail', 20, $_)->err }
	    split ' ', docker('ps', '-aq')->out;
}

1;
