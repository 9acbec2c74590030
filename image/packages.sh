# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # $cache is the script's
# Debian packages of one architecture or several, for image/assemble: found and
# downloaded by apt with package databases of our own, in $cache. The host's
# own architecture shares the host's package lists; for another one there are
# lists of our own, so that the host's dpkg learns of no foreign architecture.
#
#	archives/	the packages
#	apt-ARCH/	apt's state for a Debian architecture (apt.sh)

# What is wanted, by Debian architecture: names.
declare -A wanted=()	   # with what they depend on
declare -A wanted_alone=() # metapackages of kernels, without dependencies
own_deb=$(dpkg --print-architecture)
packages= # lines "FILE SIZE", set by packages_find

apt() { # DEB_ARCH PROGRAM ARG...
	local options=()
	apt_own "$cache/apt-$1" "$1"
	[[ $1 != "$own_deb" ]] ||
		options=(-o Dir::State::lists=/var/lib/apt/lists)
	own_apt "$2" -o Dir::Cache::archives="$cache/archives" \
	    "${options[@]}" "${@:3}"
}

update_lists() {
	local deb
	for deb in "${!wanted[@]}"; do
		if [[ $deb == "$own_deb" ]]; then
			apt-get -qq update || return 1
		else
			apt "$deb" apt-get update || return 1
		fi
	done
}

# The package behind a kernel's metapackage.
kernel_image() { # DEB_ARCH METAPACKAGE
	apt "$1" apt-cache show --no-all-versions "$2" 2>/dev/null |
		sed -n 's/^Depends: \(linux-image-[^ ,]*\).*/\1/p'
}

kernel_images() { # DEB_ARCH
	local name image
	for name in ${wanted_alone[$1]:-}; do
		image=$(kernel_image "$1" "$name")
		[[ -n $image ]] || return 1
		echo "$image"
	done
}

# apt names only what its archives lack: an empty folder makes it name all.
list_uris() { # DEB_ARCH
	local empty=$cache/apt-$1/empty kernels
	kernels=$(kernel_images "$1") || return 1
	# shellcheck disable=SC2086 # lists of names
	apt "$1" apt-get -y -o Dir::Cache::archives="$empty" \
	    --print-uris install ${wanted[$1]} || return 1
	# shellcheck disable=SC2086
	[[ -z $kernels ]] || (cd "$empty" &&
	    apt "$1" apt-get --print-uris download $kernels)
}

list_packages() {
	local deb
	for deb in "${!wanted[@]}"; do
		list_uris "$deb" || return 1
	done >"$cache/uris" 2>"$cache/errors"
	sed -n "s/^'[^']*' \([^ ]*\) \([0-9]*\) .*/\1 \2/p" "$cache/uris" |
		LC_ALL=C sort -u
}

die_lists() {
	cat "$cache/errors" >&2 2>/dev/null || true
	die "apt finds no way to install: ${wanted[*]} ${wanted_alone[*]}"
}

# Sets packages. From here on nobody else uses apt's folders.
packages_find() {
	local deb lock
	for deb in "${!wanted[@]}"; do
		apt_own "$cache/apt-$deb" "$deb"
		exec {lock}<"$cache/apt-$deb"
		flock "$lock"
	done
	packages=$(list_packages) && return
	say 'the package lists lack something: apt-get update'
	update_lists || die_lists
	packages=$(list_packages) || die_lists
}

download_packages() {
	local deb kernels
	for deb in "${!wanted[@]}"; do
		# shellcheck disable=SC2086
		apt "$deb" apt-get -y --download-only install \
		    ${wanted[$deb]} || return 1
		kernels=$(kernel_images "$deb") || return 1
		[[ -n $kernels ]] || continue
		# apt's own user may write in partial
		# shellcheck disable=SC2086
		(cd "$cache/archives/partial" &&
		    apt "$deb" apt-get download $kernels &&
		    mv ./*.deb ..) || return 1
	done
}

have_packages() {
	local file size
	while read -r file size; do
		[[ $(stat -c %s "$cache/archives/$file" 2>/dev/null) == \
		    "$size" ]] || return 1
	done <<<"$packages"
}

# A package's name and architecture, without versions.
package_key() {
	sed -E 's/_.*_/_/; s/^(linux-image)-[0-9][0-9.-]*-/\1-/'
}

# Other versions of what is wanted now: what others want stays.
drop_old_packages() {
	local file name keys
	keys=$(cut -d ' ' -f 1 <<<"$packages" | package_key)
	for file in "$cache"/archives/*.deb; do
		name=$(basename "$file")
		if ! grep -qF "$name " <<<"$packages" &&
		    grep -qxF "$(package_key <<<"$name")" <<<"$keys"; then
			rm -f "$file"
		fi
	done
}

packages_fetch() {
	have_packages && return
	say "downloading $(wc -l <<<"$packages") packages," \
	    "$(awk '{ s += $2 } END { print int(s / 1e6) }' \
	    <<<"$packages") MB at most, to $cache/archives"
	if ! download_packages; then
		say 'a download failed, perhaps the package lists are old:' \
		    'apt-get update'
		update_lists || die_lists
		packages=$(list_packages) || die_lists
		download_packages || die 'the packages cannot be downloaded'
	fi
	have_packages || die "$cache/archives: a package is missing after" \
	    'its download'
	drop_old_packages
}

# Each package gets a folder below DIR, so that it is known what a file comes
# from.
packages_unpack() { # DIR
	local file
	mkdir "$1"
	while read -r file _; do
		mkdir "$1/${file%.deb}"
		dpkg-deb -x "$cache/archives/$file" "$1/${file%.deb}"
	done <<<"$packages"
}
