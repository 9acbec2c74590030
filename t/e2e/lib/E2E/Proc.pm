# SPDX-License-Identifier: Apache-2.0
# A child process with its three streams, or on a pseudoterminal, read by
# events and never longer than a deadline.
package E2E::Proc;
use strict;
use warnings;
use Digest::MD5;
use Fcntl;
use IO::Select;
use POSIX ();
use Time::HiRes ();

# Deadlines only tell a hang from slowness: this many times what is written,
# for machines that are slow or have other things to do.
our $PATIENCE = $ENV{RUNQ_E2E_PATIENCE} // 3;

# ioctl numbers of asm-generic/ioctls.h
use constant {
	TIOCSCTTY => 0x540e, TIOCGWINSZ => 0x5413, TIOCSWINSZ => 0x5414,
	TIOCSPTLCK => 0x40045431, TIOCGPTN => 0x80045430,
};

# E2E::Proc->start([argv], %how)
#	stdin	text to send and then EOF; a file handle; 'hold' keeps a pipe
#		open for ->send; default /dev/null
#	stdout	a file handle that the child writes to
#	pty	[rows, columns]: all three streams are one terminal
#	sum	keep length and MD5 of stdout and stderr, not their text
#	pause	do not read before ->resume
#	env	{ NAME => value or undef }
sub start {
	my ($class, $argv, %how) = @_;
	my $self = bless { argv => $argv, out => '', err => '', sum => $how{sum},
	    paused => $how{pause}, creator => $$,
	    length => { out => 0, err => 0 } }, $class;

	$self->{md5}{$_} = Digest::MD5->new for qw(out err);
	$how{pty} ? $self->_pty(\%how) : $self->_pipes(\%how);
	return $self;
}

sub _exec {
	my ($self, $how) = @_;
	# a shell that put us into the background may have had these ignored
	$SIG{$_} = 'DEFAULT' for qw(HUP INT QUIT TERM PIPE);
	my $env = $how->{env} || {};

	for my $name (keys %$env) {
		delete $ENV{$name};
		$ENV{$name} = $env->{$name} if defined $env->{$name};
	}
	{ no warnings 'exec'; exec { $self->{argv}[0] } @{ $self->{argv} } }
	print STDERR "$self->{argv}[0]: $!\n";
	POSIX::_exit(127);
}

sub _pipes {
	my ($self, $how) = @_;
	my $in = $how->{stdin};
	my ($in_r, $in_w, $out_r, $out_w, $err_r, $err_w);

	if (!defined $in) {
		open $in_r, '<', '/dev/null' or die "/dev/null: $!";
	} elsif (ref $in) {
		$in_r = $in;
	} else {
		pipe $in_r, $in_w or die "pipe: $!";
	}
	pipe $out_r, $out_w or die "pipe: $!";
	pipe $err_r, $err_w or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		POSIX::dup2(fileno $in_r, 0);
		POSIX::dup2(fileno($how->{stdout} || $out_w), 1);
		POSIX::dup2(fileno $err_w, 2);
		$self->_exec($how);
	}
	$self->{pid} = $pid;
	$self->{fh} = { out => $out_r, err => $err_r };
	if ($in_w) {
		$in_w->blocking(0);
		$self->{in} = $in_w;
		$self->{queue} = $in eq 'hold' ? '' : $in;
		$self->{eof} = $in ne 'hold';
	}
}

sub _pty {
	my ($self, $how) = @_;

	sysopen my $master, '/dev/ptmx', O_RDWR | O_NOCTTY or die "ptmx: $!";
	my $number = pack 'i', 0;
	ioctl $master, TIOCSPTLCK, $number or die "TIOCSPTLCK: $!";
	ioctl $master, TIOCGPTN, $number or die "TIOCGPTN: $!";
	my $name = '/dev/pts/' . unpack 'i', $number;
	$self->{fh} = { out => $master };
	$self->{in} = $master;
	$self->{queue} = '';
	$self->resize(@{ $how->{pty} });
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		POSIX::setsid();
		sysopen my $slave, $name, O_RDWR or POSIX::_exit(127);
		ioctl $slave, TIOCSCTTY, 0;
		POSIX::dup2(fileno $slave, $_) for 0 .. 2;
		$self->_exec($how);
	}
	$self->{pid} = $pid;
}

# The terminal gets another size; its foreground job a SIGWINCH.
sub resize {
	my ($self, $rows, $columns) = @_;

	my $size = pack 'S4', $rows, $columns, 0, 0;

	ioctl $self->{in}, TIOCSWINSZ, $size or die "TIOCSWINSZ: $!";
}

sub send {
	my ($self, $text) = @_;

	$self->{queue} .= $text;
	return $self;
}

# EOF after what is queued.
sub close_stdin {
	my ($self) = @_;

	$self->{eof} = 1;
	return $self;
}

sub resume { $_[0]{paused} = 0 }

# One round of reading and writing, for at most $seconds.
sub _pump {
	my ($self, $seconds) = @_;
	my $readers = IO::Select->new($self->{paused} ? () :
	    values %{ $self->{fh} });
	my $writers = IO::Select->new;

	if ($self->{in} && $self->{eof} && $self->{queue} eq '') {
		close delete $self->{in};
	}
	$writers->add($self->{in}) if $self->{in} && $self->{queue} ne '';
	if (!$readers->count && !$writers->count) {
		Time::HiRes::sleep($seconds < 0.02 ? $seconds : 0.02);
		return;
	}
	my ($r, $w) = IO::Select->select($readers, $writers, undef, $seconds);
	$self->_read($_) for @{ $r || [] };
	$self->_write if @{ $w || [] };
}

sub _read {
	my ($self, $fh) = @_;
	my ($which) = grep { $self->{fh}{$_} == $fh } keys %{ $self->{fh} };
	my $n = sysread $fh, my $data, 1 << 16;

	if (!$n) {	# a terminal ends with EIO
		delete $self->{fh}{$which};
		return;
	}
	$self->{length}{$which} += $n;
	if ($self->{sum}) {
		$self->{md5}{$which}->add($data);
	} else {
		$self->{$which} .= $data;
	}
}

sub _write {
	my ($self) = @_;
	local $SIG{PIPE} = 'IGNORE';
	my $n = syswrite $self->{in}, $self->{queue}, 1 << 16;

	if (defined $n) {
		substr $self->{queue}, 0, $n, '';
	} elsif (!$!{EAGAIN}) {
		close delete $self->{in};
		$self->{queue} = '';
	}
}

sub _reap {
	my ($self, $flags) = @_;

	return 1 if defined $self->{status};
	return 0 if waitpid($self->{pid}, $flags) != $self->{pid};
	$self->{status} = $?;
	return 1;
}

# Reads until stdout (or what `which` says) matches: the match, or undef at
# the deadline or when nothing more can come.
sub expect {
	my ($self, $re, $seconds, $which) = @_;
	my $deadline = Time::HiRes::time() + $PATIENCE *
	    ($seconds // 60);

	$which //= 'out';
	for (;;) {
		return $1 if $self->{$which} =~ /($re)/;
		my $left = $deadline - Time::HiRes::time();
		return undef if $left <= 0 || !$self->{fh}{$which};
		$self->_pump($left);
	}
}

sub running { return !$_[0]->_reap(POSIX::WNOHANG) }

# Waits for the end of the process and of its output. The status is that of
# a shell, or 'timeout' after the deadline, when the process is killed.
sub finish {
	my ($self, $seconds) = @_;
	my $deadline = Time::HiRes::time() + $PATIENCE *
	    ($seconds // 120);

	while (!$self->_reap(POSIX::WNOHANG) || %{ $self->{fh} }) {
		my $left = $deadline - Time::HiRes::time();
		if ($left <= 0) {
			$self->kill;
			return $self->{code} = 'timeout';
		}
		$self->_pump($left < 0.05 ? $left : 0.05);
	}
	my $status = $self->{status};
	return $self->{code} = $status & 127 ? 128 + ($status & 127) :
	    $status >> 8;
}

sub kill {
	my ($self) = @_;

	return if $self->_reap(POSIX::WNOHANG);
	CORE::kill 'KILL', $self->{pid};
	$self->_reap(0);
}

sub signal { CORE::kill $_[1], $_[0]{pid} if $_[0]->running }
sub out { $_[0]{out} }
sub err { $_[0]{err} }
sub code { $_[0]{code} }
sub bytes { $_[0]{length}{ $_[1] // 'out' } }
sub md5 { $_[0]{md5}{ $_[1] // 'out' }->clone->hexdigest }

sub DESTROY {
	my ($self) = @_;
	local ($?, $!);

	$self->kill if $self->{pid} && $self->{creator} == $$;
}

1;
