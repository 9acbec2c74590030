# SPDX-License-Identifier: Apache-2.0
# A DNS server for the tests, and queries for it: UDP and TCP, RFC 1035 as far
# as the tests need it.
#
#	whoami.outside.test	A	the address that asked
#	big.outside.test	TXT	too large for UDP: truncated there
#	silent.outside.test		no answer at all
#	*.outside.test		A	192.0.2.77
#	everything else			NXDOMAIN
package E2E::Dns;
use strict;
use warnings;
use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket;

our @EXPORT = qw(dns_query dns_parse);

use constant { A => 1, PTR => 12, TXT => 16 };

sub _name {
	my ($data, $offset) = @_;
	my @labels;

	for (1 .. 128) {
		my $n = unpack "\@$offset C", $data;
		return (join('.', @labels), $offset + 1) if $n == 0;
		if ($n >= 192) {
			my $to = unpack("\@$offset n", $data) & 0x3fff;
			my ($rest) = _name($data, $to);
			return (join('.', @labels, $rest), $offset + 2);
		}
		push @labels, substr $data, $offset + 1, $n;
		$offset += 1 + $n;
	}
	die 'a name without an end';
}

# A query as bytes.
sub dns_query {
	my ($id, $name, $type) = @_;

	return pack('n6', $id, 0x0100, 1, 0, 0, 0) .
	    join('', map { pack 'C/a', $_ } split(/\./, $name), '') .
	    pack('n2', $type, 1);
}

# { id, rcode, tc, name, type, answers => [...] }
sub dns_parse {
	my ($data) = @_;
	my ($id, $flags, undef, $answers) = unpack 'n4', $data;
	my ($name, $at) = _name($data, 12);
	my %m = (id => $id, rcode => $flags & 15, tc => $flags >> 9 & 1,
	    name => $name, type => unpack("\@$at n", $data), answers => []);

	$at += 4;
	for (1 .. $answers) {
		(undef, $at) = _name($data, $at);
		my ($type, undef, undef, $n) = unpack "\@$at n2 N n", $data;
		$at += 10;
		my $value = substr $data, $at, $n;
		$value = Socket::inet_ntoa($value) if $type == A;
		($value) = _name($data, $at) if $type == PTR;
		push @{ $m{answers} }, $value;
		$at += $n;
	}
	return \%m;
}

sub _answer {
	my ($query, $peer, $tcp) = @_;
	my $m = eval { dns_parse($query) } or return '';
	my ($flags, @data) = (0x8180);
	my $name = lc $m->{name};

	return '' if $name eq 'silent.outside.test';
	if ($name !~ /\.outside\.test$/) {
		$flags |= 3;
	} elsif ($name eq 'big.outside.test' && $m->{type} == TXT) {
		@data = map { pack 'C/a', $_ x 200 } 'a' .. 't';
		($flags, @data) = ($flags | 0x200) if !$tcp;
	} elsif ($m->{type} == A) {
		@data = ($name eq 'whoami.outside.test' ? $peer :
		    Socket::inet_aton('192.0.2.77'));
	}
	return pack('n6', $m->{id}, $flags, 1, scalar @data, 0, 0) .
	    substr(dns_query(0, $m->{name}, $m->{type}), 12) .
	    join '', map { pack('n3 N n/a', 0xc00c, $m->{type}, 1, 60, $_) } @data;
}

# One connection, one query after the other.
sub _serve_tcp {
	my ($fh) = @_;

	while (_read_n($fh, my $head, 2)) {
		_read_n($fh, my $query, unpack 'n', $head) or last;
		my $answer = _answer($query, $fh->peeraddr, 1);
		syswrite $fh, pack 'n/a', $answer if $answer ne '';
	}
}

sub _read_n {
	my ($fh, undef, $n) = @_;

	$_[1] = '';
	while (length $_[1] < $n) {
		sysread $fh, $_[1], $n - length $_[1], length $_[1] or return 0;
	}
	return 1;
}

# E2E::Dns->start($address): serves until it goes out of scope.
sub start {
	my ($class, $address) = @_;
	my %at = (LocalAddr => $address, LocalPort => 53);
	my $udp = IO::Socket::INET->new(%at, Proto => 'udp')
	    or die "DNS at $address: $!";
	my $tcp = IO::Socket::INET->new(%at, Proto => 'tcp', Listen => 8,
	    ReuseAddr => 1) or die "DNS at $address: $!";
	my $pid = fork // die "fork: $!";

	return bless { pid => $pid, creator => $$ }, $class if $pid;
	$SIG{CHLD} = 'IGNORE';
	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
	my $select = IO::Select->new($udp, $tcp);
	for (;;) {
		for my $fh ($select->can_read) {
			if ($fh == $tcp) {
				my $peer = $tcp->accept or next;
				next if fork;
				_serve_tcp($peer);
				POSIX::_exit(0);
			}
			my $peer = $udp->recv(my $query, 4096) or next;
			my $answer = _answer($query,
			    (Socket::unpack_sockaddr_in($peer))[1]);
			$udp->send($answer, 0, $peer) if $answer ne '';
		}
	}
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $!);

	return if $self->{creator} != $$;
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
