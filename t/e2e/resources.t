#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# CPUs and memory of the VM, values that are refused, options that a VM cannot
# have, warnings, and what runq says of itself.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use E2E;

need_runq();

my $number = 0;

sub vm {
	my ($opts, @cmd) = @_;

	return docker('run', '--rm', run_args($RUNTIME, "$PREFIX-" . ++$number),
	    @$opts, TEST_IMAGE, @cmd);
}

# ---- CPUs ----
for my $n (1, 2, 3) {
	my $p = vm(['-e', "RUNQ_CPU=$n"], 'sh', '-c',
	    'nproc; grep -c ^processor /proc/cpuinfo; ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l; cat /sys/devices/system/cpu/online');
	my $online = $n == 1 ? '0' : '0-' . ($n - 1);
	is $p->out, "$n\n$n\n$n\n$online\n", "RUNQ_CPU=$n gives $n CPUs"
	    or diag $p->err;
}
is vm([], 'nproc')->out, "1\n", 'without RUNQ_CPU: the default of --cpu';

# ---- memory ----
sub mem_total {
	my ($opts) = @_;
	my $p = vm($opts, 'sh', '-c', 'grep MemTotal /proc/meminfo');

	return $p->out =~ /(\d+) kB/ ? $1 / 1024 : do { diag $p->err; -1 };
}

# The kernel keeps some for itself: its image, the page array, reservations.
sub memory_is {
	my ($opts, $mib, $what) = @_;
	my $total = mem_total($opts);

	cmp_ok $total, '<=', $mib, "$what: not more than $mib MiB";
	cmp_ok $total, '>=', $mib * 0.93 - 64,
	    "$what: MemTotal $total MiB of $mib";
}
memory_is(['-e', "RUNQ_MEM=$_"], $_, "RUNQ_MEM=$_") for 128, 300, 512;
memory_is([], 256, 'the default of --mem');
memory_is(['-m', '400m'], 400, '-m 400m');
memory_is(['-m', '1g', '-e', 'RUNQ_MEM=200'], 200, '-m 1g and RUNQ_MEM=200');
is vm(['-m', '300m'], 'sh', '-c', 'head -c 150000000 /dev/zero >/dev/shm/x; wc -c </dev/shm/x')->code,
    0, 'a container that fills half its memory lives';
{
	my $p = vm(['-m', '200m', '--memory-swap', '200m'], 'sh', '-c',
	    'dd if=/dev/zero of=/dev/null bs=400M count=1; echo $?');
	unlike $p->out, qr/^0$/m, 'one that wants too much is refused in the guest';
	is $p->code, 0, 'and the VM lives on' or diag $p->err;
}

# ---- wrong values ----
sub refused {
	my ($opts, $say, $what) = @_;
	my $name = "$PREFIX-" . ++$number;
	my $p = docker('run', run_args($RUNTIME, $name), @$opts, TEST_IMAGE,
	    'echo', 'it runs');
	my $info = inspect($name);

	subtest $what => sub {
		isnt $p->code, 0, 'status ' . $p->code;
		is $p->out, '', 'nothing runs';
		like $p->err, $say, 'the terminal says why';
		docker('rm', '-f', '-v', $name);
		my @left;
		eventually(10, sub { !(@left = leftovers($info->{Id})) })
		    if $info;
		is "@left", '', 'nothing is left';
	};
}

my %limit = slurp("$SRC/lib/vm_spec.h") =~ /^#define (VM_(?:CPU|MEM)_\w+) (\d+)/mg;
my $below = $limit{VM_MEM_MIN} - 1;

refused(['-e', "RUNQ_CPU=$_"], qr/RUNQ_CPU.*\b1 to $limit{VM_CPU_MAX}\b/s,
    "RUNQ_CPU=$_ is refused") for '0', $limit{VM_CPU_MAX} + 1, '-1',
    '1,sockets=2', 'two', '1.5', '99999999999999999999';
refused(['-e', "RUNQ_MEM=$_"], qr/RUNQ_MEM.*MiB from $limit{VM_MEM_MIN} to/s,
    "RUNQ_MEM=$_ is refused") for $below, '0', '-5', '64M', '1e3',
    '128,slots=2', '99999999999';
refused(['-e', 'RUNQ_CPUARGS=host -S'], qr/RUNQ_CPUARGS/,
    'RUNQ_CPUARGS with another option is refused');
refused(['-e', 'RUNQ_9PCACHE=all'], qr/RUNQ_9PCACHE.*all.*(none|mmap)/s,
    'RUNQ_9PCACHE=all is refused');

# ---- options that a VM cannot have ----
refused(['--network', 'host'], qr/--network host.*bridge/s, '--network host');
refused(['--pid', 'host'], qr/--pid host.*private/s, '--pid host');
refused(['--ipc', 'host'], qr/--ipc host.*private/s, '--ipc host');
refused(['--device', '/dev/null:/dev/other'], qr{--device /dev/other.*/dev/runq/}s,
    '--device outside of /dev/runq/');
refused(['--tmpfs', "/lib/modules$_"], qr{/lib/modules}, "a mount at /lib/modules$_")
    for '', '/x';
refused(['-v', '/var/tmp:/lib/modules/6.1/x'], qr{/lib/modules},
    'a volume below /lib/modules');
refused(['-v', '/var/tmp:/data/../lib/modules/./x'], qr{/lib/modules},
    'a volume below /lib/modules, written with dots');
{
	my $peer = "$PREFIX-peer";
	docker_ok('run', '-d', '--ipc', 'shareable', run_args($REFERENCE, $peer), TEST_IMAGE,
	    'probe', 'hold');
	refused(['--network', "container:$peer"],
	    qr/--network container:.*bridge/s, '--network container:');
	refused(['--pid', "container:$peer"], qr/--pid container:/,
	    '--pid container:');
	refused(['--ipc', "container:$peer"], qr/--ipc container:|--ipc/,
	    '--ipc container:');
	is inspect($peer)->{State}{Status}, 'running', 'the peer still runs';
	is docker('exec', $peer, 'ping', '-c', '1', '-W', '5', '172.17.0.1')->code,
	    0, 'and has its network';
}

# ---- warnings ----
{
	my $p = vm(['-e', 'RUNQ_FOO=1', '-e', "RUNQ_B\x1b[31mAR=1", '-e',
		'NOT_RUNQ=1'], 'true');
	is $p->code, 0, 'an unknown RUNQ_ variable is no error';
	like $p->err, qr/RUNQ_FOO/, 'but is named on stderr';
	is $p->out, '', 'and nothing on stdout';
	unlike $p->err, qr/NOT_RUNQ/, 'others are not';
	unlike $p->err, qr/\x1b/, 'control characters are not passed on';
}
is vm([], 'true')->err, '', 'nothing to warn about: stderr is empty';
SKIP: {
	skip 'the warning of TCG: KVM may work on this machine', 2
	    if slurp('/proc/cpuinfo') =~ /^flags.*\b(vmx|svm)\b/m;
	skip 'the warning of TCG: no runtime runq is registered', 2
	    if docker('info', '-f', '{{json .Runtimes}}')->out !~ /"runq"/;
	my $p = docker('run', '--rm', run_args('runq', "$PREFIX-auto"),
	    TEST_IMAGE, 'echo', 'out');
	is $p->out, "out\n", 'auto without KVM: the container runs';
	like $p->err, qr/\A[^\n]*KVM[^\n]*\n\z/,
	    'auto without KVM: one warning line on stderr';
}

# ---- what it says of itself ----
like docker('info', '-f', '{{json .Runtimes}}')->out, qr/"\Q$RUNTIME\E"/,
    'docker info lists the runtime';
{
	my $p = run([$RUNQ, '--version']);
	is $p->code, 0, 'runq --version: status 0';
	like $p->out, qr/^runq\b.*\d+\.\d+/, 'its version';
	like $p->out, qr/^spec: 1\.\d+/m, 'the version of the runtime-spec';
	my $f = run([$RUNQ, 'features']);
	my $o = eval { decode_json($f->out) };
	ok $o, 'runq features is JSON' or diag $f->out, $f->err;
	ok $o->{ociVersionMin} && $o->{ociVersionMax}, 'with the spec\'s range';
	ok +(grep { $_ eq 'network' } @{ $o->{linux}{namespaces} }),
	    'and the namespaces';
}
{
	my $p = run([$RUNQ, 'frobnicate']);
	isnt $p->code, 0, 'an unknown command fails';
	like $p->err, qr/\S/, 'with words';
	my $log = tempdir() . '/log';
	my $q = run([$RUNQ, '--log', $log, '--log-format', 'json', 'create',
		'--bundle', '/no/such/bundle', 'x']);
	isnt $q->code, 0, 'create without a bundle fails';
	my @lines = split /\n/, slurp($log) // '';
	my $o = eval { decode_json($lines[-1] // '') };
	is $o->{level}, 'error', '--log-format json: level';
	like $o->{msg}, qr{/no/such/bundle}, '--log-format json: msg';
}

done_testing();
