#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TAP: image/register merges into daemon.json and never spoils one.
set -u

src=${T_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
if ! command -v jq >/dev/null; then
	echo '1..0 # SKIP jq is not installed'
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
conf=$work/docker/daemon.json
count=0

ok() { # NAME COMMAND...
	local name=$1 verdict=ok
	shift
	count=$((count + 1))
	"$@" >"$work/said" 2>&1 || verdict='not ok'
	echo "$verdict $count - $name"
	[[ $verdict == ok ]] || sed 's/^/# /' "$work/said"
}

register() {
	"$src/image/register" --config "$conf" "$@" >"$work/out" 2>&1
}

is() { # JSON: what the configuration must be
	diff <(jq -S . <<<"$1") <(jq -S . "$conf")
}

refuses() { # WORDS ARG...: fails, says WORDS, changes nothing
	local words=$1
	shift
	cp -p "$conf" "$work/before"
	! register "$@" && grep -qF "$words" "$work/out" &&
		cmp "$work/before" "$conf"
}

register runq /r/runq
ok 'a file is made where none is' \
    is '{"runtimes": {"runq": {"path": "/r/runq"}}}'
ok 'readable by all' test "$(stat -c %a "$conf")" = 644

printf '{"runtimes":{"runq":{"path":"/r/runq"}},\n "debug" :true}' >"$conf"
cp "$conf" "$work/before"
inode=$(stat -c %i "$conf")
register runq /r/runq
ok 'a right file keeps its bytes' cmp "$work/before" "$conf"
ok 'and is not written' test "$(stat -c %i "$conf")" = "$inode"

cat >"$conf" <<'J'
{ "log-opts": {"max-size": "10m"}, "default-runtime": "kata", "insecure-registries": [],
  "runtimes": {"kata": {"path": "/k", "runtimeArgs": ["--x"]}}, "dns": ["127.0.0.1"] }
J
chmod 600 "$conf"
register runq /r/runq
ok 'all else stays' is '{ "log-opts": {"max-size": "10m"},
    "default-runtime": "kata", "insecure-registries": [],
    "runtimes": {"kata": {"path": "/k", "runtimeArgs": ["--x"]},
    "runq": {"path": "/r/runq"}}, "dns": ["127.0.0.1"] }'
ok 'the mode stays' test "$(stat -c %a "$conf")" = 600

echo '{}' >"$conf"
register runq-big /r/runq --mem 512 '--dns=1.2.3.4 "x"'
ok 'arguments are kept apart' is '{"runtimes": {"runq-big":
    {"path": "/r/runq",
    "runtimeArgs": ["--mem", "512", "--dns=1.2.3.4 \"x\""]}}}'
register runq-big /r/other
ok 'an entry is replaced as a whole' \
    is '{"runtimes": {"runq-big": {"path": "/r/other"}}}'

: >"$conf"
register runq /r/runq
ok 'an empty file counts as none' \
    is '{"runtimes": {"runq": {"path": "/r/runq"}}}'

mv "$conf" "$work/real.json"
echo '{"debug": true}' >"$work/real.json"
ln -s ../real.json "$conf"
register runq /r/runq
ok 'a link stays a link' test -L "$conf"
ok 'and its target is changed' \
    is '{"debug": true, "runtimes": {"runq": {"path": "/r/runq"}}}'
rm "$conf"

for text in '{"debug": true,}' '[]' '{} {}' '{"runtimes": []}' 'debug'; do
	echo "$text" >"$conf"
	ok "refused and left alone: $text" \
	    refuses "$conf is not a valid configuration" runq /r/runq
done
echo '{}' >"$conf"
ok 'refused: a name dockerd keeps for itself' refuses reserved runc /r/runq
ok 'refused: a name with a slash' refuses allowed a/b /r/runq
ok 'refused: an option as name' refuses usage --name /r/runq
ok 'refused: a relative path' refuses absolute runq runq

# ---- removal, by the script of an installation ----
prefix=$work/prefix
mkdir -p "$prefix/image"
cp "$src/image/register" "$prefix/image/"
src=$prefix

same() {
	cmp "$work/before" "$conf"
}

printf '{ "debug" : true,\n\t"runtimes":{"other":{"path":"/o"}} }' >"$conf"
cp "$conf" "$work/before"
register runq "$prefix/runq"
register runq-tcg "$prefix/runq" --accel tcg
register foreign /f
ok 'the file as it was is kept once' \
    cmp "$work/before" "$prefix/before/daemon.json"
register --remove runq
ok 'one of several is removed' is '{"debug": true, "runtimes":
    {"other": {"path": "/o"}, "foreign": {"path": "/f"},
    "runq-tcg": {"path": "'"$prefix"'/runq", "runtimeArgs":
    ["--accel", "tcg"]}}}'
register --remove runq-tcg
ok 'what others changed stays' is '{"debug": true, "runtimes":
    {"other": {"path": "/o"}, "foreign": {"path": "/f"}}}'
register --remove foreign
ok 'the last removal gives the bytes back' same
cp -p "$conf" "$work/before"
register --remove runq
ok 'what is not there is not removed' same

rm -rf "$prefix/before"
echo '{"runtimes":{}}' >"$conf"
cp "$conf" "$work/before"
register runq "$prefix/runq"
register --remove runq
ok 'an empty list of runtimes stays one' same
rm -rf "$prefix/before" "$conf"
register runq "$prefix/runq"
register --remove runq
ok 'a file that was not there goes' test ! -e "$conf"
register runq "$prefix/runq"
printf '{"debug": true, "runtimes": {"runq": {"path": "/x"}}}' >"$conf"
register --remove runq
ok 'a file that has more by now stays' is '{"debug": true}'
echo '{}' >"$conf"
rm -rf "$prefix/before"
register foreign /f
ok 'nothing is kept for another program' test ! -e "$prefix/before"
ok 'refused: removal with a path' refuses usage --remove runq /r/runq

left=$(find "$work/docker" -type f | wc -l)
ok 'no temporary file is left' test "$left" = 1
echo "1..$count"
