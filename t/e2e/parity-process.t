#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Parity: what the entry point is given, and how it ends.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use E2E;
use E2E::Parity;

# ---- arguments ----
case 'args: none but the command', cmd => ['probe', 'args'];
case 'args: blanks, quotes and shell characters',
    cmd => ['probe', 'args', 'a b', "it's", '"quoted"', '$HOME `id` $(id)',
	'\\', '*', ';|&<>', '-x', '--', ' '],
    want => qr/it's/;
case 'args: empty ones',
    cmd => ['probe', 'args', '', 'between', '', ''],
    want => qr/arg\[4\]=""/;
case 'args: newlines, tabs and control characters',
    cmd => ['probe', 'args', "two\nlines", "tab\t", "\x01\x1b[31m\x7f"],
    want => qr/\\x0a/;
case 'args: UTF-8',
    cmd => ['probe', 'args', "gr\xc3\xbcn", "\xe2\x82\xac", "\xf0\x9f\x90\xb3"],
    want => qr/\\xc3\\xbc/;
case 'args: bytes that are not UTF-8',
    cmd => ['probe', 'args', "latin\xfc", "\xff\xfe"];
case 'args: one of 100,000 bytes',
    cmd => ['probe', 'args', 'x' x 100_000], want => qr/x{50000}/;
case 'args: 2,000 of them', cmd => ['probe', 'args', 1 .. 2000],
    want => qr/arg\[2000\]="2000"/;
case 'args: what looks like options of QEMU and the kernel',
    cmd => ['probe', 'args', '-device', 'x,y=z', 'init=/bin/sh', 'panic=1',
	'%s%n', ',,'];

# ---- environment ----
case 'env: as Docker makes it', cmd => ['probe', 'env'],
    want => qr/HOSTNAME=/;
case 'env: empty value, equals signs, no value',
    opts => ['-e', 'ZZ=1', '-e', 'EMPTY=', '-e', 'EQ=a=b==', '-e', 'AA= 2 ',
	'-e', 'NOT_SET_HERE'],
    cmd => ['probe', 'env'], want => qr/EQ=a=b==/;
case 'env: newlines, quotes and bytes above 127',
    opts => ['-e', "NL=a\nb", '-e', q(Q='"$X`), '-e', "U=gr\xc3\xbcn"],
    cmd => ['probe', 'env'], want => qr/NL=a\\x0ab/;
case 'env: 1,000 variables of 1 KiB',
    opts => [map { ('-e', "V$_=" . $_ x (1024 / length $_)) } 1 .. 1000],
    cmd => ['probe', 'env'], want => qr/V1000=(1000){256}/;
case 'env: --env-file',
    files => { env => "# comment\nFROM_FILE=yes\nQUOTED=\"kept\"\n\n" },
    opts => ['--env-file', 'DIR/env'], cmd => ['probe', 'env'],
    want => qr/QUOTED=\\"kept\\"/;
case 'env: HOME follows --user', opts => ['--user', 'app'],
    cmd => ['probe', 'env'], want => qr{HOME=/home/app};
case 'env: TERM only with a terminal', opts => ['-t'],
    cmd => ['probe', 'env'], want => qr/TERM=xterm/;

# ---- working directory, user, groups ----
case 'image: ENTRYPOINT, CMD, USER, WORKDIR, ENV, VOLUME',
    image => 'runq-e2e:config';
case 'image: state under its USER and WORKDIR',
    image => 'runq-e2e:config', opts => ['--entrypoint', 'probe'],
    cmd => ['ids'], want => qr{cwd: /home/app/work};
case '--entrypoint with arguments',
    image => 'runq-e2e:config', opts => ['--entrypoint', '/bin/script'],
    cmd => ['one', 'two'], want => qr/script one two/;
case '-w: an existing directory', opts => ['-w', '/data'],
    cmd => ['probe', 'ids'], want => qr{cwd: /data$}m;
case '-w: a missing directory is made', opts => ['-w', '/new/deep/dir'],
    cmd => ['sh', '-c', 'pwd; ls -ld /new/deep/dir | cut -c1-40'],
    want => qr{^/new/deep/dir$}m;
case '-w: through a symlink', opts => ['-w', '/links/relative'],
    cmd => ['probe', 'ids'], want => qr{cwd: /target$}m;
case '--user: a name', opts => ['--user', 'app'], cmd => ['probe', 'ids'],
    want => qr/groups: .*29/;
case '--user: a uid that has a name', opts => ['--user', '1001'],
    cmd => ['probe', 'ids'], want => qr/Uid:\s1001/;
case '--user: uid:gid', opts => ['--user', '1000:44'],
    cmd => ['probe', 'ids'], want => qr/Gid:\s44/;
case '--user: an unknown uid', opts => ['--user', '4242'],
    cmd => ['probe', 'ids'], want => qr/Uid:\s4242/;
case '--user: large ids', opts => ['--user', '2000000000:2000000001'],
    cmd => ['probe', 'ids'], want => qr/Uid:\s2000000000/;
case '--user: an unknown name', opts => ['--user', 'nobody-here'],
    cmd => ['probe', 'ids'], code => 125, compare => 'out code';
case '--group-add: names and numbers',
    opts => ['--group-add', 'video', '--group-add', '777'],
    cmd => ['probe', 'ids'], want => qr/groups: .*777/;
case 'a script with an interpreter', cmd => ['/bin/script', 'x'],
    want => qr/script x/;

# ---- capabilities and privileges ----
case 'capabilities: Docker\'s own set', cmd => ['probe', 'caps'],
    want => qr/CapEff:\s00000000a80425fb/;
case 'capabilities: --cap-drop ALL', opts => ['--cap-drop', 'ALL'],
    cmd => ['probe', 'caps'], want => qr/CapBnd:\s0000000000000000/;
case 'capabilities: --cap-drop ALL --cap-add one',
    opts => ['--cap-drop', 'ALL', '--cap-add', 'NET_BIND_SERVICE'],
    cmd => ['probe', 'caps'], want => qr/CapEff:\s0000000000000400/;
case 'capabilities: --cap-add and --cap-drop',
    opts => ['--cap-add', 'NET_ADMIN', '--cap-add', 'SYS_TIME', '--cap-drop',
	'CHOWN'], cmd => ['probe', 'caps'];
case 'capabilities: of a user', opts => ['--user', 'app', '--cap-add',
	'NET_ADMIN'], cmd => ['probe', 'caps'], want => qr/CapBnd:\s.*[1-9a-f]/;
case 'capabilities: a dropped one is felt',
    opts => ['--cap-drop', 'CHOWN'], cmd => ['chown', '5', '/tmp'],
    code => 1, want => qr/not permitted/;
case 'capabilities: file capabilities for a user',
    opts => ['--user', 'app'], cmd => ['probe-caps', 'caps'],
    want => qr/CapEff:\s0000000000002001/;
case 'setuid and setgid programs',
    opts => ['--user', 'app'],
    cmd => ['sh', '-c', 'probe-suid ids; probe-sgid ids'],
    want => qr/Uid:\s1000\s0\s0/;
case 'no-new-privileges stops them',
    opts => ['--user', 'app', '--security-opt', 'no-new-privileges'],
    cmd => ['sh', '-c', 'probe-suid ids; probe caps'],
    want => qr/NoNewPrivs:\s1/;

# ---- limits ----
case '--ulimit: several',
    opts => ['--ulimit', 'nofile=123:456', '--ulimit', 'core=0', '--ulimit',
	'nproc=100:200', '--ulimit', 'fsize=1000000', '--ulimit',
	'stack=4194304', '--ulimit', 'memlock=65536', '--ulimit', 'cpu=60',
	'--ulimit', 'msgqueue=1000', '--ulimit', 'sigpending=99'],
    cmd => ['probe', 'limits'], want => qr/nofile: 123 456/,
    only => qr/^(nofile|core|nproc|fsize|stack|memlock|cpu|msgq|sigp)/;
case '--ulimit is felt', opts => ['--ulimit', 'fsize=4096'],
    cmd => ['sh', '-c', 'trap "" XFSZ; probe write 1 9000 >/tmp/x; ls -l /tmp/x | cut -c20-46'],
    want => qr/EFBIG/;
case '--pids-limit is felt', opts => ['--pids-limit', '20'],
    cmd => ['sh', '-c', 'i=0; while [ $i -lt 40 ]; do sleep 9 & i=$((i+1)); done; echo all'],
    code => 2, compare => 'out code';
case '--oom-score-adj', opts => ['--oom-score-adj', '500'],
    cmd => ['cat', '/proc/self/oom_score_adj'], want => qr/500/;

# ---- seccomp ----
sub profile {
	my ($default, @rules) = @_;

	return encode_json({ defaultAction => "SCMP_ACT_$default",
		syscalls => \@rules });
}

sub rule {
	my ($names, $action, %more) = @_;

	return { names => $names, action => "SCMP_ACT_$action", %more };
}

sub arg {
	my ($index, $op, $value, $two) = @_;

	return { index => $index, op => "SCMP_CMP_$op", value => $value,
	    valueTwo => $two // 0 };
}

case 'seccomp: Docker\'s profile', cmd => ['probe', 'syscalls'],
    want => qr/keyctl: EPERM/,
    except => ['the guest has its own kernel, with other options' =>
	qr/^(clone3|process_vm_readv|io_uring_setup|get_mempolicy|mbind|kcmp|pidfd_getfd):/];
case 'seccomp: Docker\'s profile and added capabilities',
    opts => ['--cap-add', 'SYS_ADMIN', '--cap-add', 'SYS_TIME'],
    cmd => ['probe', 'syscalls'], want => qr/sethostname: EFAULT/,
    except => ['dmesg is the guest\'s own, and not restricted' => qr/^syslog:/,
	'the guest has its own kernel, with other options' =>
	qr/^(clone3|process_vm_readv|io_uring_setup|get_mempolicy|mbind|kcmp|pidfd_getfd|bpf|perf_event_open|quotactl|fanotify_init|lookup_dcookie):/];
case 'seccomp: unconfined', opts => ['--security-opt', 'seccomp=unconfined'],
    cmd => ['sh', '-c', 'probe caps; probe syscalls'],
    want => qr/Seccomp:\s0/,
    only => qr/^(Seccomp|NoNew|personality|unshare-none|socket|chroot|ptrace)/;
case 'seccomp: a profile with errnoRet, 1',
    files => { p => profile('ALLOW', rule(['mkdir', 'mkdirat'], 'ERRNO',
		errnoRet => 28)) },
    opts => ['--security-opt', 'seccomp=DIR/p'], cmd => ['mkdir', '/x'],
    code => 1, want => qr/No space left/;
case 'seccomp: conditions on arguments',
    files => { p => profile('ALLOW',
	    rule(['personality'], 'ERRNO', errnoRet => 5,
		args => [arg(0, 'EQ', 0xffffffff)]),
	    rule(['personality'], 'ERRNO', errnoRet => 11,
		args => [arg(0, 'MASKED_EQ', 0x20000, 0x20000)]),
	    rule(['socket'], 'ERRNO', errnoRet => 12,
		args => [arg(0, 'EQ', 2), arg(1, 'GE', 3)]),
	    rule(['socket'], 'ERRNO', errnoRet => 13,
		args => [arg(0, 'GT', 16)]),
	    rule(['unshare'], 'ERRNO', errnoRet => 22,
		args => [arg(0, 'NE', 0)])) },
    opts => ['--security-opt', 'seccomp=DIR/p'], cmd => ['probe', 'syscalls'],
    only => qr/^(personality|socket|unshare)/,
    want => qr/personality-query: EIO/;
case 'seccomp: default ERRNO and a list of what is allowed',
    files => { p => profile('ERRNO', rule([qw(execve exit exit_group write brk
	    arch_prctl mmap munmap mprotect fstat newfstatat read close
	    set_tid_address set_robust_list rseq prlimit64 getrandom futex
	    readlink readlinkat fstatfs openat getuid capset capget prctl
	    setgroups setgid setuid getdents64 fcntl chdir epoll_ctl
	    epoll_pwait rt_sigreturn nanosleep access faccessat2 faccessat
	    statx ioctl getpid getppid tgkill rt_sigaction rt_sigprocmask
	    sigaltstack clone sched_yield gettid madvise getcwd setresuid
	    setresgid poll dup3 dup2)], 'ALLOW')) },
    opts => ['--security-opt', 'seccomp=DIR/p'],
    cmd => ['sh', '-c', 'echo works; mkdir /x'],
    code => 1, want => qr/works/;
case 'seccomp: KILL_PROCESS ends with SIGSYS',
    files => { p => profile('ALLOW', rule(['mkdir', 'mkdirat'],
		'KILL_PROCESS')) },
    opts => ['--security-opt', 'seccomp=DIR/p'],
    cmd => ['sh', '-c', 'mkdir /x; echo $?'], want => qr/159/,
    compare => 'out code';
case 'seccomp: KILL_PROCESS of the entry point itself',
    files => { p => profile('ALLOW', rule(['mkdir', 'mkdirat'],
		'KILL_PROCESS')) },
    opts => ['--security-opt', 'seccomp=DIR/p'], cmd => ['mkdir', '/x'],
    code => 159;

# runc gives --privileged all capabilities of its own kernel, or fails.
my $no_privileges = sub {
	my $proc = docker('run', '--rm', '--runtime', $REFERENCE,
	    '--privileged', TEST_IMAGE, 'true');
	return $proc->code eq '0' ? '' :
	    "$REFERENCE cannot do --privileged on this machine: " .
	    ($proc->err =~ /(unable to [^\n]*)/ ? $1 : $proc->err);
};

# ---- names, sysctls, protected paths ----
case 'hostname: by default the id', cmd => ['probe', 'uts'],
    want => qr/nodename: SHORTID|nodename: [0-9a-f]{12}/;
case '--hostname and --domainname',
    opts => ['--hostname', 'deep-thought', '--domainname', 'example.test'],
    cmd => ['sh', '-c', 'probe uts; cat /etc/hostname; hostname'],
    want => qr/domainname: example.test/;
case '--sysctl: net and kernel',
    opts => ['--sysctl', 'net.core.somaxconn=321', '--sysctl',
	'net.ipv4.ip_unprivileged_port_start=77', '--sysctl',
	'kernel.msgmax=12345', '--sysctl', 'kernel.shmmax=1234567'],
    cmd => ['cat', map { "/proc/sys/$_" } qw(net/core/somaxconn
	net/ipv4/ip_unprivileged_port_start kernel/msgmax kernel/shmmax)],
    want => qr/321\n77\n12345\n1234567/;
case 'masked paths show nothing',
    cmd => ['sh', '-c', 'for f in kcore keys timer_list sched_debug; do
	[ -e /proc/$f ] && echo $f $(wc -c </proc/$f); done;
	ls -A /proc/acpi /sys/firmware 2>&1; true'],
    want => qr/kcore 0|keys 0/,
    except => ['the guest has its own kernel: a file is there or not' =>
	qr/^(keys|timer_list|sched_debug|kcore) 0$/];
case 'read-only paths refuse',
    cmd => ['sh', '-c', 'echo x >/proc/sys/kernel/hostname;
	echo x >/sys/kernel/x;
	echo x >/proc/sys/vm/overcommit_memory'],
    code => 1, want => qr/Read-only file system/;
case '--privileged: nothing masked, all capabilities',
    opts => ['--privileged'],
    cmd => ['sh', '-c', 'probe caps; probe mounts | grep -E "/proc/|/sys "'],
    except => [
	'the host may lack a capability that the guest has' => qr/^Cap/],
    want => qr/Seccomp:\s0/, skip => $no_privileges;

# ---- /proc, process tree ----
case 'the process: ids, session, scheduling', cmd => ['probe', 'proc'],
    want => qr/pid 1 ppid 0/;
case 'signals: none blocked or ignored', cmd => ['probe', 'signals'],
    want => qr/SigBlk:\s0000000000000000/;
case 'file descriptors: 0, 1 and 2', cmd => ['probe', 'fds'],
    want => qr/fd 2: pipe\n/;
case 'file descriptors: with -i', opts => ['-i'], cmd => ['probe', 'fds'];
case '/proc shows only own processes', cmd => ['ps', '-o', 'pid,comm'],
    want => qr/\s1 ps/;
case '/proc/1 is the entry point',
    cmd => ['sh', '-c', 'tr "\0" " " </proc/1/cmdline; cat /proc/1/comm'],
    want => qr/^sh -c/m;
case 'orphans are given to PID 1, which reaps them',
    cmd => ['probe', 'orphans', '20'], want => qr/reaped 20 of 20/;
case '--init: PID 1 is docker-init and reaps orphans', opts => ['--init'],
    cmd => ['sh', '-c', 'cat /proc/1/comm; probe orphans 5'],
    want => qr/docker-init|tini/;
case '--init: the exit code is passed on', opts => ['--init'],
    cmd => ['sh', '-c', 'kill -9 $$'], code => 137;
case 'children are ended with the entry point',
    cmd => ['sh', '-c', 'sleep 1000 & sleep 1000 & echo done'],
    want => qr/done/;

# ---- exit codes ----
case "exit code $_", cmd => ['probe', 'exit', $_], code => $_
    for 0, 1, 42, 124 .. 129, 137, 255;
case "ended by signal $_", cmd => ['sh', '-c', "probe kill $_; exit \$?"],
    code => 128 + $_, compare => 'out code',
    except => ['the shell\'s words on a core dump' => qr/core dumped/]
    for 6, 9, 11, 15;
case 'not found: 127', cmd => ['/no/such/program'], code => 127,
    compare => 'out code';
case 'not found in PATH: 127', cmd => ['no-such-program'], code => 127,
    compare => 'out code';
case 'not executable: 126', cmd => ['/bin/not-executable'], code => 126,
    compare => 'out code';
case 'a directory as the command: 126', cmd => ['/data'], code => 126,
    compare => 'out code';
my @exec_fails = ('runc up to 1.1 says 1 where Docker defines 126 and 127' =>
	[qr/^(1|126|127)$/, 'cannot be executed']);
case 'interpreter missing', cmd => ['/bin/bad-interpreter'], code => 1,
    compare => 'out code', except => \@exec_fails;
case 'not a program at all', cmd => ['/bin/garbage'], code => 1,
    compare => 'out code', except => \@exec_fails;
case 'a script without an interpreter', cmd => ['/bin/no-shebang'],
    code => 1, compare => 'out code', except => \@exec_fails;
case 'no permission for the user: 126', opts => ['--user', 'app'],
    cmd => ['/data/private/x'], code => 126, compare => 'out code';
case 'a relative command from the working directory',
    opts => ['-w', '/bin'], cmd => ['./script', 'here'], want => qr/here/;
case 'PATH of the container finds the command',
    opts => ['-e', 'PATH=/data:/bin'], cmd => ['script'],
    want => qr/script/;

# ---- a stock distribution ----
my $debian = sub {
	return docker('image', 'inspect', DEBIAN_IMAGE)->code eq '0' ? '' :
	    'no image ' . DEBIAN_IMAGE . ' (mmdebstrap missing or failed)';
};
case 'Debian: perl', image => DEBIAN_IMAGE, skip => $debian,
    cmd => ['perl', '-e', 'print "$^O $0 $$\n"; exit 3'], code => 3;
case 'Debian: su to a user', image => DEBIAN_IMAGE, skip => $debian,
    cmd => ['su', 'nobody', '-s', '/bin/sh', '-c', 'id'], want => qr/nobody/;
case 'Debian: dpkg has its database', image => DEBIAN_IMAGE,
    skip => $debian, cmd => ['sh', '-c', 'dpkg -l | md5sum; dpkg -V | wc -l'];
case 'Debian: dpkg configures a package', image => DEBIAN_IMAGE,
    skip => $debian, cmd => ['dpkg-reconfigure', '-fnoninteractive', 'login'];
case 'Debian: capsh', image => DEBIAN_IMAGE, skip => $debian,
    cmd => ['capsh', '--print'], want => qr/Current: /;
case 'Debian: prlimit, ps of own processes', image => DEBIAN_IMAGE,
    skip => $debian, opts => ['--ulimit', 'nofile=64:128'],
    cmd => ['sh', '-c', 'prlimit --nofile --noheadings; ps -e -o comm='],
    want => qr/64\s+128/;

run_cases();
