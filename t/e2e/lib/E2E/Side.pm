# SPDX-License-Identifier: Apache-2.0
# One side of a comparison: a case run by one runtime, with the names, the
# directory, networks and volumes that it needs, removed when it is over.
package E2E::Side;
use strict;
use warnings;
use E2E ();

my $number = 0;

sub new {
	my ($class, $case, $runtime, $which) = @_;
	my $self = bless { runtime => $runtime, which => $which,
	    case => $case, name => "$E2E::PREFIX-" . ++$number, made => [] },
	    $class;

	if ($case->{files}) {
		E2E::spew($self->dir . "/$_", $case->{files}{$_})
		    for sort keys %{ $case->{files} };
	}
	return $self;
}

# A directory of this side, made when first asked for.
sub dir {
	my ($self) = @_;

	return $self->{dir} //= E2E::tempdir();
}

# A name for a second container, a network or a volume.
sub name {
	my ($self, $what) = @_;

	return defined $what ? "$self->{name}-$what" : $self->{name};
}

# What is this run's own and to be written in the same way for both sides.
sub names {
	my ($self) = @_;
	my @names;

	for my $name (@{ $self->{made} }) {
		my $id = $self->{ids}{$name} or next;
		(my $label = $name) =~ s/^\Q$self->{name}\E/NAME/;
		push @names, [$id, "ID($label)"],
		    [substr($id, 0, 12), "SHORTID($label)"];
	}
	push @names, [$self->{dir}, 'DIR'] if $self->{dir};
	return (@names, [$self->{name}, 'NAME']);
}

sub _place {
	my ($self, @words) = @_;

	s{\bDIR\b}{$self->dir}ge, s{\bNAME\b}{$self->name}ge for @words;
	return @words;
}

sub _command {
	my ($self, $verb, $name, $opts, $image, $cmd) = @_;

	push @{ $self->{made} }, $name;
	return ('docker', @$verb, E2E::run_args($self->{runtime}, $name),
	    $self->_place(@$opts), $image, $self->_place(@$cmd));
}

sub _learn_id {
	my ($self, $name) = @_;
	my $proc = E2E::docker('inspect', '-f', '{{.Id}}', $name);

	chomp($self->{ids}{$name} = $proc->out) if $proc->code eq '0';
}

# docker run, to its end.
sub run {
	my ($self, $opts, $image, $cmd, %how) = @_;
	my $proc = E2E::run([$self->_command(['run'], $self->name, $opts,
		$image, $cmd)], timeout => $self->{case}{timeout} // 180,
	    %how);

	$self->_learn_id($self->name);
	return $proc;
}

# docker run in the foreground, going on: an E2E::Proc.
sub start {
	my ($self, $opts, $cmd, %how) = @_;

	return E2E::start([$self->_command(['run'], $self->name, $opts,
		$self->{case}{image}, $cmd)], %how);
}

# docker run -d; dies when it cannot.
sub detach {
	my ($self, $opts, $cmd, $name) = @_;
	my (undef, @argv) = $self->_command(['run', '-d'],
	    $name //= $self->name, $opts, $self->{case}{image}, $cmd);

	E2E::docker_ok(@argv);
	$self->_learn_id($name);
	return $name;
}

sub create {
	my ($self, $opts, $cmd, $name) = @_;
	my (undef, @argv) = $self->_command(['create'],
	    $name //= $self->name, $opts, $self->{case}{image}, $cmd);

	E2E::docker_ok(@argv);
	$self->_learn_id($name);
	return $name;
}

sub network {
	my ($self, $what, @opts) = @_;
	my $name = $self->name($what);

	E2E::docker_ok('network', 'create', '--label', "runq-e2e=$E2E::PREFIX", @opts,
	    $name);
	push @{ $self->{networks} }, $name;
	return $name;
}

sub volume {
	my ($self, $what) = @_;
	my $name = $self->name($what);

	E2E::docker_ok('volume', 'create', '--label', "runq-e2e=$E2E::PREFIX", $name);
	push @{ $self->{volumes} }, $name;
	return $name;
}

# What `docker logs` shows when it matches, at most after $seconds.
sub logs_match {
	my ($self, $re, $seconds, $name) = @_;
	my $logs = E2E::start(['docker', 'logs', '-f', $name // $self->name]);
	my $seen = $logs->expect($re, $seconds // 90);

	die "logs show no $re but: ", $logs->out, $logs->err if !defined $seen;
	return $seen;
}

# Status by docker wait, with a deadline.
sub wait {
	my ($self, $seconds, $name) = @_;
	my $proc = E2E::docker(['wait', $name // $self->name],
	    timeout => $seconds // 90);

	return "status " . ($proc->code eq '0' ? $proc->out : 'timeout' . "\n");
}

sub cleanup {
	my ($self) = @_;

	E2E::docker('rm', '-f', '-v', reverse @{ $self->{made} })
	    if @{ $self->{made} };
	E2E::docker('network', 'rm', @{ $self->{networks} }) if $self->{networks};
	E2E::docker('volume', 'rm', '-f', @{ $self->{volumes} })
	    if $self->{volumes};
	E2E::run(['rm', '-rf', $self->{dir}]) if $self->{dir};
}

1;
