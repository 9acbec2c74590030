#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TAP: certs/mkcerts makes certificates that verify, and keeps what is there.
set -u

src=${T_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
if ! command -v openssl >/dev/null; then
	echo '1..0 # SKIP openssl is not installed'
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dir=$work/runq
count=0

ok() { # NAME COMMAND...
	local name=$1 verdict=ok
	shift
	count=$((count + 1))
	mv -f "$work/said" "$work/last" 2>/dev/null
	"$@" >"$work/said" 2>&1 || verdict='not ok'
	echo "$verdict $count - $name"
	[[ $verdict == ok ]] || sed 's/^/# /' "$work/said"
}

fails() {
	! "$@"
}

mkcerts() { # ARG...
	"$src/certs/mkcerts" --dir "$dir" "$@"
}

verify() { # PURPOSE CERT
	openssl verify -CAfile "$dir/ca.pem" -purpose "$1" "$2"
}

text() { # CERT PATTERN
	openssl x509 -in "$1" -noout -text | grep -A 1 -E "$2"
}

sums() {
	(cd "$dir" && sha256sum ca.pem cert.pem key.pem certs/*)
}

all() { # PATTERN: each line of stdin matches
	! grep -vE "$1"
}

ok 'makes all files' mkcerts
ok 'server verifies' verify sslserver "$dir/certs/cert.pem"
ok 'client verifies' verify sslclient "$dir/cert.pem"
ok 'server is no client' fails verify sslclient "$dir/certs/cert.pem"
ok 'client is no server' fails verify sslserver "$dir/cert.pem"
ok 'authority says so' text "$dir/certs/ca.pem" \
    'Basic Constraints: critical'
ok 'authority may sign' grep -q 'CA:TRUE' "$work/last"
ok 'leaf is none' fails text "$dir/cert.pem" 'CA:TRUE'
ok 'keys fit the certificates' cmp \
    <(openssl pkey -in "$dir/key.pem" -pubout) \
    <(openssl x509 -in "$dir/cert.pem" -noout -pubkey)

modes=$(cd "$dir" && stat -c '%n %a' certs certs/* ca.pem cert.pem |
    tr '\n' ' ')
ok 'modes' test "$modes" = 'certs 700 certs/ca-key.pem 600 certs/ca.pem 600 '\
'certs/cert.pem 600 certs/key.pem 600 ca.pem 644 cert.pem 644 '
key=$(stat -c '%a %G' "$dir/key.pem")
if [[ $EUID == 0 ]] && getent group docker >/dev/null; then
	ok 'client key for group docker' test "$key" = '640 docker'
else
	ok 'client key for its owner' test "${key% *}" = 600
fi

sums >"$work/first"
ok 'runs again' mkcerts
ok 'and changes nothing' diff "$work/first" <(sums)
ok 'renews' mkcerts --renew --days 400
sums >"$work/second"
diff "$work/first" "$work/second" | sed -n 's/^> .*  //p' >"$work/changed"
ok 'server and client change, the authority stays' diff \
    <(printf '%s\n' cert.pem key.pem certs/cert.pem certs/key.pem) \
    "$work/changed"
ok 'renewed client verifies' verify sslclient "$dir/cert.pem"
ok 'lifetime as asked, not shorter' openssl x509 -in "$dir/cert.pem" \
    -noout -checkend $((399 * 86400))
ok 'lifetime as asked, not longer' fails openssl x509 \
    -in "$dir/cert.pem" -noout -checkend $((401 * 86400))

# An authority of one's own, put there first.
own=$work/own
mkdir -p "$own/certs"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=own -days 30 \
    -keyout "$own/certs/ca-key.pem" -out "$own/certs/ca.pem" 2>/dev/null
cp "$own/certs/ca.pem" "$work/own.pem"
dir=$own
ok 'own authority is used' mkcerts
ok 'own authority is kept' cmp "$work/own.pem" "$own/certs/ca.pem"
ok 'own authority signed the server' verify sslserver "$own/certs/cert.pem"

cp "$work/runq/certs/ca.pem" "$own/certs/ca.pem"
ok 'a foreign authority is noticed' fails mkcerts
ok 'and --renew is the advice' grep -q 'try --renew' "$work/last"
cp "$work/own.pem" "$own/certs/ca.pem"
rm "$own/certs/ca-key.pem"
ok 'complete without the key of the authority' mkcerts
ok 'but no renewal' fails mkcerts --renew
ok 'and it says why' grep -q 'ca-key.pem is missing' "$work/last"
rm "$own/key.pem"
ok 'half a pair is refused' fails mkcerts
ok 'refused: --days 0' fails mkcerts --days 0
ok 'refused: --days x' fails mkcerts --days x

# Certificates where the image folder has them, without an authority's key and
# with a client that knows no authority.
mkdir -p "$work/moved/qemu"
mv "$work/runq/certs" "$work/moved/qemu/certs"
mv "$work/runq/cert.pem" "$work/runq/key.pem" "$work/moved/"
rm "$work/moved/qemu/certs/ca-key.pem"
dir=$work/moved
ok 'certificates in the image folder are used' mkcerts
ok 'and stay there' test ! -e "$dir/certs"
ok 'the client gets its authority' cmp "$dir/ca.pem" "$dir/qemu/certs/ca.pem"
rm -rf "$dir/qemu/certs"
ln -s ../certs "$dir/qemu/certs"
mkdir -m 700 "$dir/certs"
rm "$dir"/*.pem
ok 'a link there is one to those beside it' mkcerts
ok 'which is where they are made' test -s "$dir/certs/key.pem"
ok 'no temporary folder is left' test -z \
    "$(find "$work/runq" "$own" "$work/moved" -name '.new.*')"
echo "1..$count"
