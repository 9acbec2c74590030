# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# apt for packages of another architecture, which are only unpacked: package
# lists, database (empty: nothing counts as installed) and archives are below a
# folder of our own, so that the host's dpkg need not know the architecture and
# nothing of the host changes. Only its sources and its keys are used.

# apt_own DIR DEB_ARCH: the functions below work in DIR, for DEB_ARCH.
apt_own() {
	own_apt=$1 own_arch=$2
	mkdir -p "$own_apt"/{lists,archives,empty}/partial
	: >"$own_apt/status"
}

# own_apt PROGRAM ARG...: apt-get or apt-cache. The option that is a list is
# appended to: it is empty unless the host's configuration has it.
own_apt() {
	local program=$1
	shift
	"$program" -qq \
	    -o APT::Architecture="$own_arch" \
	    -o APT::Architectures::="$own_arch" \
	    -o Dir::State::status="$own_apt/status" \
	    -o Dir::State::extended_states="$own_apt/extended_states" \
	    -o Dir::State::lists="$own_apt/lists" \
	    -o Dir::Cache::archives="$own_apt/archives" \
	    -o Dir::Cache::pkgcache="$own_apt/pkgcache.bin" \
	    -o Dir::Cache::srcpkgcache="$own_apt/srcpkgcache.bin" \
	    -o APT::Install-Recommends=0 -o APT::Get::AllowUnauthenticated=0 \
	    -o Acquire::Languages=none -o Dpkg::Use-Pty=0 "$@"
}

# own_apt_files PACKAGE...: lines "FILE SIZE" of what has to be unpacked for
# PACKAGEs, with what they depend on. apt names only what its archives lack: an
# empty folder makes it name all. Fails when the lists are missing or too old.
own_apt_files() {
	own_apt apt-get -y -o Dir::Cache::archives="$own_apt/empty" \
	    --print-uris install "$@" 2>"$own_apt/errors" |
		sed -n "s/^'[^']*' \([^ ]*\) \([0-9]*\) .*/\1 \2/p" |
		LC_ALL=C sort
	return "${PIPESTATUS[0]}"
}

# own_apt_fetch PACKAGE...: downloads them and prints own_apt_files.
own_apt_fetch() {
	local files
	if files=$(own_apt_files "$@") &&
	    own_apt apt-get -y --download-only install "$@" \
		>"$own_apt/output" 2>&1; then
		echo "$files"
		return
	fi
	# no lists yet, or old ones
	own_apt apt-get update >"$own_apt/output" 2>&1 &&
		files=$(own_apt_files "$@") &&
		own_apt apt-get -y --download-only install "$@" \
		    >"$own_apt/output" 2>&1 &&
		echo "$files" && return
	cat "$own_apt/output" "$own_apt/errors" >&2
	return 1
}
