# SPDX-License-Identifier: Apache-2.0
# The VM that is the test host: QEMU emulating a CPU with SVM, so that KVM
# works in it. Boots it from an image or resumes it from a saved state, runs
# jobs in it (see t/host/agent), saves its state.
package Host::VM;
use strict;
use warnings;
use Fcntl;
use IO::Select;
use JSON::PP ();
use MIME::Base64 ();
use POSIX ();
use Socket;
use Time::HiRes qw(time);

use constant { MEM_MIB => 4096, CPUS => 2 };

# What the console shows, or QEMU says, when it is the emulated CPU that
# failed and not a program in the host.
our $CPU_FAULT = qr/Kernel\ panic|\bOops\b|general\ protection\ fault.*kvm|
    soft\ lockup|rcu:.*stall|svm:.*kvm|KVM:\ entry\ failed|
    qemu-system-x86_64:.*abort|Unexpected\ [#]VMEXIT/x;

my $qemu = 'qemu-system-x86_64';

# %how: job => folder, src => folder, console => file, and
#	image => folder			to boot, with
#	  init => path, reboots => bool
#	from => folder			to resume the state saved there
#	save => folder			the state is to be saved there
#	peers => netdev			of the second network interface, that
#					else leads nowhere
sub new {
	my ($class, %how) = @_;
	my $self = bless { %how, buffer => {}, events => [] }, $class;
	my @ports = qw(qmp control out err);
	my %theirs;

	for (@ports) {
		socketpair(my $ours, $theirs{$_}, AF_UNIX, SOCK_STREAM, 0)
		    or die "socketpair: $!";
		$ours->blocking(1);
		fcntl $theirs{$_}, F_SETFD, 0;
		$self->{$_} = $ours;
		$self->{buffer}{$_} = '';
	}
	$self->_prepare_save if $self->{save};
	my @argv = $self->_argv(map { $_ => fileno $theirs{$_} } @ports);
	$self->{owner} = $$;
	$self->{pid} = fork // die "fork: $!";
	if ($self->{pid} == 0) {
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', "$self->{console}.qemu";
		open STDERR, '>&', \*STDOUT;
		POSIX::nice(5);
		exec @argv or POSIX::_exit(127);
	}
	close $_ for values %theirs;
	$self->_line('qmp', time + 30) // $self->_die('QEMU does not start');
	$self->qmp('qmp_capabilities');
	$self->_restore if $self->{from};
	return $self;
}

# A saved state is RAM and disk by reference, and the devices.
sub _prepare_save {
	my ($self) = @_;
	my ($to, $from) = @$self{qw(save from)};
	my $below = $from ? "$from/disk.qcow2" : "$self->{image}/disk.raw";
	my $format = $from ? 'qcow2' : 'raw';

	_run('mkdir', '-p', $to);
	unlink "$to/ram", "$to/devices", "$to/disk.qcow2";
	_run('cp', '--sparse=always', "$from/ram", "$to/ram") if $from;
	_run('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', $format, '-b',
	    $below, "$to/disk.qcow2");
}

sub _run { system(@_) == 0 or die "@_: status $?\n" }

sub _argv {
	my ($self, %fd) = @_;
	my $state = $self->{save} // $self->{from};
	my $image = $self->{image} // readlink "$self->{from}/image";
	my $init = $self->{init} // '/usr/local/lib/testhost/init';
	my $panic = $self->{reboots} ? '' : 'panic=-1 reboot=t';
	my @ram = $state ? ("memory-backend-file,id=ram,mem-path=$state/ram," .
		'share=' . ($self->{save} ? 'on' : 'off')) :
	    'memory-backend-ram,id=ram';
	my $disk = $state ? "file=$state/disk.qcow2,format=qcow2" :
	    "file=$image/disk.raw,format=raw";
	$disk .= ',snapshot=on' if !$self->{save};

	symlink $image, "$self->{save}/image" if $self->{save};
	return ($qemu, '-name', 'testhost', '-M', 'q35,memory-backend=ram',
	    '-accel', 'tcg,thread=multi', '-cpu', 'max,+svm,+npt', '-smp', CPUS,
	    '-m', MEM_MIB, '-object', "$ram[0],size=" . MEM_MIB . 'M',
	    '-nodefaults', '-no-user-config', '-display', 'none',
	    ($self->{reboots} ? () : '-no-reboot'),
	    '-kernel', "$image/vmlinux", '-initrd', "$image/initrd",
	    '-append', "console=ttyS0 quiet $panic init=$init mitigations=off " .
		'nokaslr no_timer_check tsc=reliable net.ifnames=0 ' .
		'systemd.unified_cgroup_hierarchy=1',
	    '-serial', "file:$self->{console}",
	    '-device', 'virtio-serial-pci',
	    map({ ('-chardev', "socket,id=$_,fd=$fd{$_}") } sort keys %fd),
	    map({ ('-device', "virtserialport,chardev=$_,name=$_") }
		qw(control out err)),
	    '-mon', 'chardev=qmp,mode=control',
	    '-fsdev', "local,id=job,path=$self->{job},security_model=none," .
		'multidevs=remap',
	    '-device', 'virtio-9p-pci,fsdev=job,mount_tag=job',
	    '-fsdev', "local,id=src,path=$self->{src},security_model=none," .
		'multidevs=remap,readonly=on',
	    '-device', 'virtio-9p-pci,fsdev=src,mount_tag=src',
	    '-drive', "if=none,id=disk,$disk,cache=unsafe",
	    '-device', 'virtio-blk-pci,drive=disk',
	    '-object', 'rng-random,id=rng,filename=/dev/urandom',
	    '-device', 'virtio-rng-pci,rng=rng',
	    '-netdev', 'user,id=net,restrict=on',
	    '-device', 'virtio-net-pci,netdev=net,romfile=',
	    '-netdev', ($self->{peers} // 'hubport,hubid=0') . ',id=peers',
	    '-device', 'virtio-net-pci,netdev=peers,romfile=',
	    ($self->{from} ? ('-incoming', 'defer') : ()));
}

# ---- QMP ----

sub qmp {
	my ($self, $command, %arguments) = @_;

	syswrite $self->{qmp}, JSON::PP::encode_json({ execute => $command,
		arguments => \%arguments }) . "\n";
	while (defined(my $line = $self->_line('qmp', time + 60))) {
		my $answer = JSON::PP::decode_json($line);
		return $answer->{return} if exists $answer->{return};
		$self->_die("$command: $answer->{error}{desc}")
		    if $answer->{error};
		push @{ $self->{events} }, $answer->{event} if $answer->{event};
	}
	$self->_die("$command: no answer");
}

sub _migrated {
	my ($self) = @_;
	my $deadline = time + 120;

	while (time < $deadline) {
		my $status = $self->qmp('query-migrate')->{status} // '';
		return if $status eq 'completed';
		$self->_die("migration $status") if $status eq 'failed';
		select undef, undef, undef, 0.02;
	}
	$self->_die('migration: timeout');
}

# RAM is a file that stays where it is: only the devices migrate.
sub _ignore_shared {
	my ($self) = @_;

	$self->qmp('migrate-set-capabilities', capabilities => [
		{ capability => 'x-ignore-shared', state => JSON::PP::true } ]);
}

sub _restore {
	my ($self) = @_;

	$self->_ignore_shared;
	$self->qmp('migrate-incoming', uri => "exec:cat '$self->{from}/devices'");
	$self->_migrated;
}

sub save {
	my ($self) = @_;

	$self->_ignore_shared;
	$self->qmp('migrate', uri => "exec:cat >'$self->{save}/devices'");
	$self->_migrated;
	$self->qmp('quit');
	waitpid $self->{pid}, 0;
	delete $self->{pid};
}

# ---- jobs ----

sub ready {
	my ($self, $seconds) = @_;
	my $line = $self->_line('control', time + $seconds);

	return defined $line && $line eq 'READY';
}

# Runs a shell command. $how{out} and $how{err} get its output. Returns
# ('exit', STATUS), ('died', WHY) when the test host is gone, or does not
# answer any more, or ('timeout', WHY) when only the job takes too long.
sub job {
	my ($self, @job) = @_;

	$self->{last} = [$self->_job(@job)];
	return @{ $self->{last} };
}

# What tells why a job failed goes to its folder, see t/host/keep. failed()
# still speaks of the job before.
sub keep { $_[0]->_job('/src/t/host/keep', timeout => 120) }

sub _job {
	my ($self, $command, %how) = @_;
	my $deadline = time + ($how{timeout} // 300);

	$how{$_} //= sub { } for qw(out err);
	$self->_send(sprintf 'TIME %.3f', time);
	$self->_send('RUN ' . MIME::Base64::encode_base64($command, ''));
	while (1) {
		my $line = $self->_line('control', $deadline, %how);
		if (!defined $line) {
			return (died => 'QEMU ended') if $self->{eof};
			return $self->_timeout(%how);
		}
		next if $line !~ /^EXIT (\d+)$/;
		my $status = $1;
		$self->_drain(%how);
		return (exit => $status);
	}
}

sub _timeout {
	my ($self, %how) = @_;

	$self->_send('PING');
	my $line = $self->_line('control', time + 20, %how) // '';
	return (timeout => 'the job does not end') if $line =~ /^PONG|^EXIT/;
	return (died => 'the test host does not answer');
}

sub _send {
	my ($self, $line) = @_;

	local $SIG{PIPE} = 'IGNORE';
	syswrite $self->{control}, "$line\n";
}

# A line of a port, without its newline; undef: end of file, or too late.
# What comes on the ports out and err meanwhile goes to their subs.
sub _line {
	my ($self, $port, $deadline, %sink) = @_;
	my $buffer = \$self->{buffer}{$port};
	my $select = IO::Select->new($self->{$port},
	    map { $self->{$_} } keys %sink ? qw(out err) : ());

	while (1) {
		return $1 =~ s/\r$//r if $$buffer =~ s/\A([^\n]*)\n//;
		my $left = $deadline - time;
		return undef if $left <= 0;
		for my $handle ($select->can_read($left)) {
			my $n = sysread $handle, my $data, 65536;
			if (!$n) {
				$self->{eof} = 1;
				return undef;
			}
			if ($handle == $self->{$port}) {
				$$buffer .= $data;
			} else {
				$sink{$handle == $self->{out} ? 'out' : 'err'}
				    ->($data);
			}
		}
	}
}

# The job is over, and what it wrote is in our sockets.
sub _drain {
	my ($self, %sink) = @_;

	for my $port (qw(out err)) {
		my $select = IO::Select->new($self->{$port});
		while ($select->can_read(0)) {
			sysread($self->{$port}, my $data, 65536) or last;
			$sink{$port}->($data);
		}
	}
}

# Why the last job has to be run again: the host died under it, or the job
# failed and the emulated CPU with it. Else undef.
sub failed {
	my ($self) = @_;
	my ($what, $detail) = @{ $self->{last} // [died => 'it did not boot'] };

	return $self->cpu_fault // $detail if $what eq 'died';
	return $what eq 'exit' && $detail == 0 ? undef : $self->cpu_fault;
}

# What shows that it is the emulated CPU that failed, or undef.
sub cpu_fault {
	my ($self) = @_;
	my $said = _slurp($self->{console}) . _slurp("$self->{console}.qemu");

	return $said =~ /^(.*$CPU_FAULT.*)$/m ? $1 : undef;
}

sub _slurp {
	open my $f, '<', $_[0] or return '';
	local $/;
	return scalar <$f> // '';
}

sub _die {
	my ($self, $why) = @_;

	$self->stop;
	die "test host: $why\n" . _slurp("$self->{console}.qemu") .
	    substr(_slurp($self->{console}), -2000);
}

sub stop {
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;

	return if $self->{owner} != $$;
	kill 'KILL', $pid;
	waitpid $pid, 0;
}

sub DESTROY {
	local ($?, $!);
	$_[0]->stop;
}

1;
