# SPDX-License-Identifier: Apache-2.0
# What the benchmarks share. Wall-clock times of a machine move with its load:
# runtimes are measured in turn, in one run, and compared by their ratio.
# shellcheck shell=bash

rounds=${ROUNDS:-7}
image=${IMAGE:-busybox}
runtimes=${RUNTIMES:-runc runq}
work=$(mktemp -d /var/tmp/runq-bench.XXXXXX)
trap 'docker rm -f "runq-bench-$$" >/dev/null 2>&1; rm -rf "$work"' EXIT

# Runs a command, its output away; its time in milliseconds goes to the file.
timed() { # file command...
	local file=$1 start=${EPOCHREALTIME/[.,]/} end
	shift
	"$@" >/dev/null 2>"$work/stderr" || {
		echo "$*: status $?" >&2
		cat "$work/stderr" >&2
		exit 1
	}
	end=${EPOCHREALTIME/[.,]/}
	echo $(((end - start) / 1000)) >>"$work/$file"
}

# What a dd of whole blocks of 64 KiB says that it wrote.
dd_bytes() {
	sed -n 's/^\([0-9]*\)+0 records out$/\1 65536/p' |
	    awk '{ printf "%d", $1 * $2 }'
}

median() { # file
	sort -n "$work/$1" | awk '{ v[NR] = $1 }
	    END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# One line a runtime: median, smallest, largest, ratio to the first.
report() { # what
	local runtime first=
	printf '%-28s %10s %8s %8s %7s\n' "$1" 'median ms' min max ratio
	for runtime in $runtimes; do
		first=${first:-$(median "$runtime")}
		printf '%-28s %10s %8s %8s %7s\n' "$runtime" \
		    "$(median "$runtime")" "$(sort -n "$work/$runtime" | head -n 1)" \
		    "$(sort -n "$work/$runtime" | tail -n 1)" \
		    "$(awk -v a="$(median "$runtime")" -v b="$first" \
		    'BEGIN { printf "%.2f", b ? a / b : 0 }')"
	done
}
