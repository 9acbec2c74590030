#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A compose file runs unchanged: services that find each other by name, wait
# for each other's health, share a volume, are scaled and executed in. The same
# steps under both runtimes, and what they print compared.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

need_runq();
my $compose = find_program('docker-compose');
plan skip_all => 'no docker-compose' if !$compose;

my $image = TEST_IMAGE;
my $file = <<"EOF_YAML";
version: "2.4"
services:
  web:
    image: $image
    runtime: \${RUNTIME}
    hostname: front
    labels: { runq-e2e: $PREFIX }
    command: sh -c 'echo "from the web" >/www/index.html;
        exec busybox httpd -f -p 8080 -h /www'
    volumes: [ "www:/www" ]
    expose: [ "8080" ]
    healthcheck:
      test: [ "CMD", "wget", "-q", "-O", "/dev/null", "http://localhost:8080/" ]
      interval: 1s
      timeout: 60s
      retries: 60
    networks: { inside: { aliases: [ "www.example" ] } }
  reader:
    image: $image
    runtime: \${RUNTIME}
    labels: { runq-e2e: $PREFIX }
    depends_on: { web: { condition: service_healthy } }
    environment: { PAGE: "http://web:8080/" }
    command: sh -c 'wget -q -O - \$\$PAGE; cat /shared/index.html;
        wget -q -O - http://www.example:8080/; echo served; exec sleep 3600'
    volumes: [ "www:/shared:ro" ]
    networks: [ inside ]
networks:
  inside: { labels: { runq-e2e: $PREFIX } }
volumes:
  www: { labels: { runq-e2e: $PREFIX } }
EOF_YAML
my $dir = tempdir();
spew("$dir/docker-compose.yml", $file);

# One command of a project; a client's words about its progress are on stderr.
sub compose {
	my ($project, $runtime, @args) = @_;

	return run(['env', "RUNTIME=$runtime", "PWD=$dir", $compose, '-f',
		"$dir/docker-compose.yml", '-p', $project, @args],
	    timeout => 400);
}

# What the steps print, with what is the project's own taken out.
sub steps {
	my ($project, $runtime) = @_;
	my @step = (
		[up => 'up', '-d', '--no-color'],
		[exec => 'exec', '-T', 'web', 'sh', '-c',
			'hostname; echo err >&2; exit 7'],
		[peers => 'exec', '-T', 'reader', 'sh', '-c',
			'ping -c 1 -W 30 web >/dev/null && echo web answers'],
		[back => 'exec', '-T', 'web', 'sh', '-c',
			'ping -c 1 -W 30 reader >/dev/null && echo reader answers'],
		[once => 'run', '-T', '--rm', '--no-deps', 'reader', 'wget', '-q',
			'-O', '-', 'http://web:8080/'],
		[restart => 'restart', '-t', '1', 'web'],
		[scale => 'up', '-d', '--no-deps', '--no-recreate', '--scale',
			'reader=2', 'reader'],
		[logs => 'logs', '--no-color', '--no-log-prefix', 'reader'],
		[services => 'ps', '--services', '--filter', 'status=running'],
		[down => 'down', '-v', '-t', '1'],
	);
	my %seen;

	for (@step) {
		my ($name, @args) = @$_;
		if ($name eq 'logs') { # both have read the page by then
			eventually(120, sub {
				my $out = compose($project, $runtime, @args)->out;
				2 == (() = $out =~ /served/g) });
		}
		my $p = compose($project, $runtime, @args);
		my $out = $p->out =~ s/^Attaching to .*\n//mr;
		$seen{$name} = 'status ' . $p->code . "\n$out";
		progress("$runtime: $name: $seen{$name}", $p->err)
		    if $p->code ne '0' && $name ne 'exec';
	}
	return \%seen;
}

my ($want, $have) = (steps("c$$-runc", $REFERENCE), steps("c$$-runq", $RUNTIME));

like $want->{logs}, qr/(from the web\n){3}served/,
    "$REFERENCE: the pages are there, by name, by alias, in the volume";
is $have->{$_}, $want->{$_}, "$_: as with $REFERENCE" for sort keys %$want;
is docker('ps', '-aq', '--filter', "label=runq-e2e=$PREFIX")->out, '',
    'down leaves no container';

done_testing();
