#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The program runq from outside, with a delegate that shows what it got. Needs
# no root: the delegate makes no container.
set -u

runq=${T_BUILDDIR:-.}/runq
runq_as=${EMULATOR:-} # what runs a program of another architecture
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0
failed=0

# ok NAME COMMAND...: succeeds when COMMAND does
ok() {
	name=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		failed=1
		sed 's/^/# /' "$tmp/out" "$tmp/err" 2>/dev/null
	fi
}

# is NAME GOT WANT
is() {
	ok "$1" test "$2" = "$3"
	[ "$2" = "$3" ] || printf '# got:  %s\n# want: %s\n' "$2" "$3"
}

has() {
	grep -q -e "$2" "$tmp/$1"
}

hasnt() {
	! grep -q -e "$2" "$tmp/$1"
}

run() {
	$runq_as "$runq" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}

# ---- what the tests run on -------------------------------------------------
arch=$(uname -m)
img=$tmp/qemu
mkdir -p "$img/sbin" "$img/boot" "$img/modules/$arch/lib/modules" "$img/usr/bin"
touch "$img/sbin/supervisor" "$img/usr/bin/qemu-system-$arch" "$img/boot/vmlinux-$arch" "$img/boot/initrd-$arch"

cat >"$tmp/delegate" <<'END'
#!/bin/sh
case " $* " in
*" state gone "*)
	echo "no such container" >&2
	exit 1
	;;
*" state vm "*)
	echo "{\"id\":\"vm\",\"bundle\":\"${0%/*}/b\"}"
	exit 0
	;;
*" update --resources - vm ")
	echo "argv: $*"
	cat
	exit 7
	;;
*" exec --preserve-fds 1 "*)
	for a; do
		[ "$last" != --process ] || file=$a
		last=$a
	done
	echo "argv: $*" | sed "s,$file,FILE,"
	echo "guest: $(cat <&3)"
	echo "relay: $(cat "$file")"
	echo "files: $(readlink /proc/self/fd/3) $(readlink "$file")"
	{ echo x >&3; } 2>/dev/null && echo "it can be written"
	{ echo x >"$file"; } 2>/dev/null && echo "it can be written"
	exit 7
	;;
esac
echo "argv: $*"
echo "notify: ${NOTIFY_SOCKET-unset} listen: ${LISTEN_FDS-unset}"
case " $* " in *" --preserve-fds 1 "*)
	echo "spec: $(cat <&3)"
	{ echo x >&3; } 2>/dev/null && echo "the spec can be written"
	readlink /proc/self/fd/3 | grep -q memfd && echo "a memfd"
	;;
esac
exit 7
END
chmod +x "$tmp/delegate"

new_bundle() {
	rm -rf "$tmp/b"
	mkdir -p "$tmp/b/rootfs"
	cat >"$tmp/b/config.json" <<'END'
{ "ociVersion": "1.0.2", "hostname": "h",
  "process": { "user": { "uid": 0, "gid": 0 }, "args": [ "sh" ],
    "env": [ "RUNQ_NEW=1" ], "cwd": "/work" },
  "root": { "path": "rootfs" },
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/etc/f", "type": "bind", "source": "config.json",
      "options": [ "bind", "ro" ] } ],
  "linux": { "namespaces": [ { "type": "pid" }, { "type": "mount" },
    { "type": "ipc" }, { "type": "uts" }, { "type": "network" } ] } }
END
}

ours="--runc $tmp/delegate --image-dir $img --accel tcg"

# ---- our own commands ------------------------------------------------------
run --version
is "--version succeeds" $status 0
is "version, commit and spec, a line each" \
    "$(sed 's/ .*//' "$tmp/out" | tr '\n' ' ')" "runq commit: spec: "
run -v
ok "-v" has out '^runq version [0-9]'
run --help
ok "--help shows our options" has out '--boot-timeout'
run features
is "features succeeds" $status 0
ok "features names capabilities" has out '"CAP_CHOWN"'
ok "features names the range of versions" has out '"ociVersionMin"'

# ---- others pass through ---------------------------------------------------
run $ours --root /r kill --all id KILL
is "the delegate's exit status" $status 7
is "without our options" "$(head -n 1 "$tmp/out")" \
    "argv: --root /r kill --all id KILL"
run $ours --root /r events --cpu 2 id
is "also after the command" "$(head -n 1 "$tmp/out")" \
    "argv: --root /r events id"
NOTIFY_SOCKET=/n run $ours start id
ok "their environment is left alone" has out 'notify: /n'
run --runc "$tmp/nowhere" list
is "no delegate: exit status 1" $status 1
ok "no delegate: says so" has err 'nowhere: not an executable file'
PATH=/nowhere run list
ok "no runc in PATH: says so" has err 'no "runc" in PATH'

# ---- pause, resume, state: of what is no VM that runs, the delegate's -------
for command in pause resume; do
	run $ours --root /r $command gone
	is "$command of none: status" $status 1
	is "$command of none: the delegate's words alone" "$(cat "$tmp/err")" \
	    'no such container'
	run $ours --root /r $command vm
	is "$command of what does not run: status" $status 7
	is "$command of what does not run" "$(head -n 1 "$tmp/out")" \
	    "argv: --root /r $command vm"
	run $ours $command '../x'
	ok "$command: an id that is none" has err 'container id: '
done
run $ours state gone
is "state of none: status" $status 1
run $ours --root /r state vm
is "state: status" $status 0
is "state: as the delegate says it" "$(cat "$tmp/out")" \
    "{\"id\":\"vm\",\"bundle\":\"$tmp/b\"}"

# ---- refused ---------------------------------------------------------------
for c in checkpoint restore; do
	run $ours $c id
	is "$c: exit status 1" $status 1
	ok "$c: one sentence" has err "^runq: $c is not supported"
	ok "$c: the delegate is not run" hasnt out argv
done

# ---- the log ---------------------------------------------------------------
run --cpu 0 --log "$tmp/log" --log-format json create --bundle "$tmp/b" id
is "an error: exit status 1" $status 1
is "one line on stderr" "$(wc -l <"$tmp/err")" 1
is "one in the log" "$(wc -l <"$tmp/log")" 1
ok "as JSON" has log '^{"level":"error","msg":"--cpu: \\"0\\", must be a '
ok "with a time" has log \
    ',"time":"20[0-9-]*T[0-9:]*Z"}$'
run --cpu 0 --log "$tmp/log" --log-format json create id
is "the log is appended to" "$(wc -l <"$tmp/log")" 2
rm "$tmp/log"
run --cpu 0 --log "$tmp/log" create id
ok "as text" has log '^time="20[0-9TZ:-]*" level=error msg="--cpu: \\"0'
run --cpu 0 --log "$tmp/no/dir" create id
is "no log: still exit status 1" $status 1
ok "no log: still the sentence" has err 'cpu.*must be'

# ---- create ----------------------------------------------------------------
if [ -n "$runq_as" ]; then
	n=$((n + 1))
	echo "ok $n - create, exec # SKIP $runq_as lacks openat2(2)"
	echo "1..$n"
	exit $failed
fi
new_bundle
cp "$tmp/b/config.json" "$tmp/original"
NOTIFY_SOCKET=/n LISTEN_FDS=3 run $ours --root /r create --bundle "$tmp/b" \
    --mem 99 --pid-file /p abc
is "create runs the delegate" $status 7
is "with --preserve-fds" "$(head -n 1 "$tmp/out")" \
    "argv: --root /r create --preserve-fds 1 --bundle $tmp/b --pid-file /p abc"
ok "without NOTIFY_SOCKET and LISTEN_FDS" has out 'notify: unset listen: unset'
ok "the spec is at fd 3" has out '^spec: {"version":1,"id":"abc"'
ok "with our options" has out '"mem_mib":99'
ok "and a warning" has out '"warnings":\["RUNQ_NEW: unknown variable"\]'
ok "in a memfd" has out 'a memfd'
ok "that is sealed" hasnt out 'can be written'
cp "$tmp/b/config.json" "$tmp/derived"
ok "config.json is the VM's container's" has derived '"/sbin/supervisor"'
ok "the image is a mount of it" has derived "$tmp/b/rootfs"
ok "the original is kept" cmp -s "$tmp/original" "$tmp/b/config.json.runq"
is "no other file is left" "$(ls -A "$tmp/b" | tr '\n' ' ')" \
    "config.json config.json.runq rootfs "
ok "mount point of a directory" test -d "$tmp/b/rootfs/proc"
ok "mount point of a file" test -f "$tmp/b/rootfs/etc/f"
ok "working directory" test -d "$tmp/b/rootfs/work"

run $ours run --bundle="$tmp/b" abc
is "run on the same bundle" $status 7
ok "derives from the original" cmp -s "$tmp/derived" "$tmp/b/config.json"
ok "which is still there" cmp -s "$tmp/original" "$tmp/b/config.json.runq"
rm "$tmp/b/config.json.runq"
run $ours create --bundle "$tmp/b" abc
is "without the original: exit status 1" $status 1
ok "without the original: says so" has err 'original cannot be read'

new_bundle
(cd "$tmp/b" && "$runq" $ours run abc) >"$tmp/out" 2>"$tmp/err"
is "the bundle is the current directory" $? 7

# ---- exec ------------------------------------------------------------------
process=$tmp/process.json
cat >"$process" <<'END'
{ "terminal": true, "consoleSize": { "height": 9, "width": 99 },
  "args": [ "id" ], "env": [ "A=1" ], "cwd": "/", "user": { "uid": 5 },
  "capabilities": { "bounding": [ "CAP_KILL" ] } }
END
NOTIFY_SOCKET=/n LISTEN_FDS=3 run $ours --root /r exec --process "$process" \
    --console-socket "$tmp/s" --detach --pid-file /p --apparmor a id
is "exec runs the delegate" $status 7
is "with the relay's process" "$(head -n 1 "$tmp/out")" \
    "argv: --root /r exec --preserve-fds 1 --console-socket $tmp/s.runq --detach --pid-file /p --process FILE id"
# the process between sees the delegate's end by its pipe
gone() {
	for _ in $(seq 500); do
		[ ! -e "$tmp/s.runq" ] && return 0
		sleep 0.01
	done
	return 1
}
ok "the socket between is gone with the delegate" gone
ok "the guest's is at fd 3" has out '^guest: {"terminal":true,"args":\["id"\]'
ok "with its user" has out '^guest: .*"uid":5'
ok "with the limits of this process" has out \
    "^guest: .*\"RLIMIT_NOFILE\",\"hard\":[0-9]*,\"soft\":$(ulimit -Sn)}"
ok "the relay's is another" has out '^relay: .*"args":\["/sbin/relay","-t"\]'
ok "with the terminal" has out '^relay: {"terminal":true,"consoleSize":{"height":9,"width":99}'
ok "without capabilities" has out '^relay: .*"capabilities":{"bounding":\[\]'
ok "both in memfds" has out \
    '^files: /memfd:runq-process .*/memfd:runq-relay '
ok "that are sealed" hasnt out 'can be written'
"$runq" $ours exec -p /dev/stdin id <"$process" >"$tmp/out" 2>"$tmp/err"
is "a process from a pipe" $? 7
ok "has arrived" has out '^guest: .*"A=1"'
"$runq" $ours exec -p "$process" id >"$tmp/out" 2>"$tmp/err" 3</dev/null \
    4</dev/null
is "descriptors in the way" $? 7
ok "are not taken for ours" has out '^guest: .*"A=1"'

new_bundle
run $ours create --bundle "$tmp/b" id
run $ours exec -e B=2 -t vm sh -c 'a b'
is "exec without --process" $status 7
ok "the command" has out '^guest: {"terminal":true,"args":\["sh","-c","a b"\]'
ok "the container's and another variable" has out '"env":\["RUNQ_NEW=1","B=2"\]'
ok "the container's working directory" has out '"cwd":"/work"'
cp "$tmp/original" "$tmp/b/config.json"
run $ours exec --preserve-fds 2 vm sh
is "not our container" $status 7
is "all is the delegate's" "$(head -n 1 "$tmp/out")" \
    "argv: exec --preserve-fds 2 vm sh"
run $ours --log "$tmp/log" exec gone sh
is "no such container: exit status 1" $status 1
is "one sentence, the delegate's" "$(cat "$tmp/err")" "no such container"

refused_exec() {
	what=$1 want=$2
	shift 2
	run "$@"
	is "$what: exit status 1" $status 1
	ok "$what: says so" has err "^runq: $want"
	ok "$what: the delegate is not run" hasnt out argv
}
refused_exec "--noexec-all" 'exec: switched off by the administrator' \
    $ours --noexec-all exec -p "$process" id
refused_exec "--preserve-fds" 'exec: --preserve-fds: "1", must be 0' \
    $ours exec -p "$process" --preserve-fds 1 id
refused_exec "--cgroup" 'exec: --cgroup: "x" is not supported' \
    $ours exec -p "$process" --cgroup x id
refused_exec "no id" 'exec: needs a container id' $ours exec
refused_exec "bad id" 'container id: "a/b"' $ours exec a/b sh
refused_exec "no file" 'exec: --process /gone: No such file' \
    $ours exec -p /gone id
refused_exec "a folder" "exec: --process $tmp: Is a dir" $ours exec -p "$tmp" id
refused_exec "endless" 'exec: --process /dev/zero: larger than 8388608 bytes' \
    $ours exec -p /dev/zero id
echo '{"args":["x"]' >"$tmp/broken"
refused_exec "not JSON" "exec: --process $tmp/broken: not JSON" \
    $ours exec -p "$tmp/broken" id
run $ours --noexec exec -p "$process" id
is "--noexec is about runq-exec only" $status 7

# ---- update ----------------------------------------------------------------
update() {
	echo "$1" >"$tmp/resources"
	shift
	run $ours "$@" <"$tmp/resources"
}
sized_bundle() {
	new_bundle
	sed -i 's/"linux": {/& "resources": { "cpu": { "quota": 100000 }, "memory": { "limit": 419430400 } },/' \
	    "$tmp/b/config.json"
	cp "$tmp/b/config.json" "$tmp/sized"
	run $ours create --bundle "$tmp/b" id
}
sized_bundle
update '{"cpu":{"shares":5,"quota":50000},"pids":{"limit":7}}' \
    update --resources=- vm
is "update runs the delegate" $status 7
ok "with the limits" has out '"shares":5,"quota":50000'
ok "all of them" has out '"pids":{"limit":7}'
update '{}' update -r - vm
is "-r is --resources" $status 7
update '{"memory":{"limit":838860800}}' update --resources=- vm
is "more memory: exit status 1" $status 1
ok "more memory: says so" has err \
    '^runq: --memory: 800 MiB: the VM was made with 400 MiB'
ok "more memory: the delegate is not run" hasnt out argv
update '{"memory":{"limit":52428800}}' update --resources=- vm
ok "too little memory: says so" has err 'cannot be made smaller than 96 MiB'
update '{"memory":{"limit":209715200}}' update --resources=- vm
ok "a VM that does not answer: says so" has err "200 MiB: QEMU's monitor: "
ok "and the delegate is not run" hasnt out argv
[ "$(nproc)" -lt 2 ] || {
	update '{"cpu":{"quota":200000}}' update --resources=- vm
	ok "more CPUs: says so" has err '2 CPUs: the VM was made with 1 '
}
for wrong in '[]' 'x' '{"memory":7}' '{"memory":{"limit":"1"}}' ''; do
	update "$wrong" update --resources=- vm
	is "limits \"$wrong\": exit status 1" $status 1
done
update '' update --memory 500m vm
ok "--memory: says so" has err '^runq: update: --memory is not supported'
update '' update --memory 500m gone
is "no such container: one sentence" "$(cat "$tmp/err")" "no such container"
cp "$tmp/sized" "$tmp/b/config.json"
update '{}' update --memory 500m vm
is "not our container: all is the delegate's" "$(head -n 1 "$tmp/out")" \
    "argv: update --memory 500m vm"

# ---- create, runq-exec -----------------------------------------------------
cat >"$tmp/exec-delegate" <<'END'
#!/bin/sh
echo "argv: $*"
printf 'spec: %s\n' "$(cat <&3)"
readlink /proc/self/fd/4
END
chmod +x "$tmp/exec-delegate"
id=runq-unit-$$
create_exec() {
	new_bundle
	run --runc "$tmp/exec-delegate" --image-dir "$img" --accel tcg "$@" \
	    create --bundle "$tmp/b" $id
}
create_exec
ok "no certificates: no listener" has out '^argv: create --preserve-fds 1 '
ok "and no exec" has out '"exec":false'
ok "and no warning" hasnt out runq-exec
mkdir "$tmp/certs"
for f in ca cert key; do
	echo "a $f" >"$tmp/certs/$f.pem"
done
create_exec
ok "certificates: two descriptors" has out '^argv: create --preserve-fds 2 '
ok "the second one is a socket" has out '^socket:'
ok "the certificates are in the spec" has out \
    '"exec":true,"tls":{"ca":"a ca\\n","cert":"a cert\\n","key":"a key\\n"}'
create_exec --noexec
ok "--noexec: no listener" has out '^argv: create --preserve-fds 1 '
ok "--noexec: no key" hasnt out 'a key'
create_exec --noexec-all
ok "--noexec-all: no listener" has out '^argv: create --preserve-fds 1 '
: >"$tmp/certs/key.pem"
create_exec
ok "an empty file: no listener" has out '^argv: create --preserve-fds 1 '
ok "and a warning" has out 'runq-exec does not work here: .*/certs/key.pem'
rm "$tmp/certs/key.pem"
create_exec
ok "without the key: no listener" has out '^argv: create --preserve-fds 1 '
rm -r "$tmp/certs"
new_bundle

# ---- create, refused: nothing is changed -----------------------------------
unchanged() {
	cmp -s "$tmp/original" "$tmp/b/config.json" &&
	    [ "$(ls -A "$tmp/b" "$tmp/b/rootfs" | wc -w)" -eq 4 ]
}

refused() {
	is "$1: exit status 1" $status 1
	ok "$1: says so" has err "$2"
	ok "$1: the delegate is not run" hasnt out argv
	ok "$1: the bundle is untouched" unchanged
}

new_bundle
run $ours create --bundle "$tmp/b" 'a/b'
refused "bad id" 'container id: "a/b"'
run $ours create --bundle "$tmp/b"
refused "no id" 'needs a container id'
run $ours create --preserve-fds 3 --bundle "$tmp/b" id
refused "--preserve-fds" 'preserve-fds: "3", must be 0'
run $ours --runc "$tmp/nowhere" create --bundle "$tmp/b" id
refused "no delegate" 'not an executable'
rm "$img/boot/initrd-$arch"
run $ours create --bundle "$tmp/b" id
refused "no initrd" "boot/initrd-$arch.*image/setup.*No such file"
touch "$img/boot/initrd-$arch"
run $ours create --bundle "$tmp/gone" id
refused "no bundle" "bundle $tmp/gone: No such file"

sed 's/"network"/"net"/' "$tmp/original" >"$tmp/b/config.json"
cp "$tmp/b/config.json" "$tmp/original"
run $ours create --bundle "$tmp/b" id
refused "bad namespace" 'type "net" is not supported'
printf '{' >"$tmp/b/config.json"
cp "$tmp/b/config.json" "$tmp/original"
run $ours create --bundle "$tmp/b" id
refused "broken config.json" 'config.json: not JSON'

echo "1..$n"
exit $failed
