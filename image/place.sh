# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # set by the scripts that source this
# How a complete tree takes the place of the image folder $dest. Containers
# that still run have the old one mounted, so that is removed by a later run,
# when no mount is left. The caller has say().

in_use() { # DIR: by a mount in anybody's namespace
	grep -qsF "/$(basename "$1")" /proc/[0-9]*/mountinfo
}

remove_old() {
	local old
	for old in "$dest".old.*; do
		[[ -d $old ]] || continue
		if in_use "$old"; then
			say "$old: kept, running containers have it mounted"
		else
			rm -rf "$old"
		fi
	done
}

# A run that was killed between the two renames left no DEST.
restore_old() {
	local old=("$dest".old.*)
	[[ -e $dest || ! -d ${old[0]} ]] || mv "${old[0]}" "$dest"
}

# Certificates that somebody keeps in the image folder itself stay there.
keep_certs() { # TREE
	[[ -d $dest/certs && ! -L $dest/certs ]] || return 0
	rm -f "$1/certs"
	cp -a "$dest/certs" "$1/certs"
}

# The authority's certificate is public; the client needs it, too.
publish_authority() {
	local to=${dest%/*}/ca.pem
	if [[ -s $dest/certs/ca.pem && ! -e $to ]]; then
		install -m 644 "$dest/certs/ca.pem" "$to"
	fi
}

replace() { # TREE
	local old
	keep_certs "$1"
	if [[ -e $dest ]]; then
		old=$(mktemp -d "$dest.old.XXXXXX")
		mv -T "$dest" "$old"
	fi
	mv -T "$1" "$dest"
	publish_authority
	remove_old
}
