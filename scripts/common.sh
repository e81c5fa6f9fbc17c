# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# Shared by all bash scripts of the project; sourced, never run. Python scripts have
# common.py. Gives the pins of versions.mk as variables, the place of the cache, and messages
# on stderr. Each builder holds the lock of what it builds, works in NAME.tmp, and renames
# that when all is done: so a build that was interrupted can be started again.

[[ -n ${MTETAGRAM_COMMON:-} ]] && return 0
MTETAGRAM_COMMON=1

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${MTETAGRAM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mtetagram}
BUILD=$TOP/build

msg()
{
	printf '== %s\n' "$*" >&2
}

die()
{
	printf '%s: error: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# NAME = value lines of versions.mk become shell variables.
load_versions()
{
	local name eq value

	while read -r name eq value; do
		[[ $eq == = ]] && printf -v "$name" '%s' "$value"
	done <"$TOP/versions.mk"
}
load_versions

JOBS=${JOBS:-$(nproc)}

mkdir -p "$CACHE/log"
export CCACHE_DIR=${CCACHE_DIR:-$CACHE/ccache}
# A build must not depend on when, where or by whom it was made.
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026'
export KBUILD_BUILD_USER=mtetagram KBUILD_BUILD_HOST=mtetagram
export KBUILD_BUILD_VERSION=1
export LC_ALL=C TZ=UTC

# with_lock FILE: hold an exclusive lock on FILE until the script ends.
with_lock()
{
	local fd

	mkdir -p "$(dirname "$1")"
	exec {fd}>"$1"
	if ! flock -n "$fd"; then
		msg "waiting for another build (${1##*/})"
		flock "$fd"
	fi
}

# Hash of the contents and names (relative to the checkout) of files.
hash_files()
{
	(cd "$TOP" && sha256sum -- "$@") | sha256sum | cut -d' ' -f1
}

hash_text()
{
	printf '%s\n' "$@" | sha256sum | cut -d' ' -f1
}

# ours PATTERN...: files of the checkout, those that are not yet committed as well.
ours()
{
	local file

	(cd "$TOP" && git ls-files -co --exclude-standard -- "$@" | sort -u) |
		while read -r file; do
			[[ ! -f $TOP/$file ]] || printf '%s\n' "$file"
		done
}

# read_series DIRECTORY: the names of the patches in its file "series", in order.
read_series()
{
	sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$1/series"
}

# The part of a compiler's version that decides what it generates.
compiler_id()
{
	"$1" --version | head -n 1
}

# The machine's own Debian archives of DEBIAN_SUITE as lines for a
# sources.list; $1 is deb or deb-src.
debian_sources()
{
	local uri suite component

	# shellcheck disable=SC2016 # the names are apt's
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Identifier: Packages' | sort -u | while read -r uri suite component; do
		[[ $component == main ]] || continue
		case $suite in
		"$DEBIAN_SUITE" | "$DEBIAN_SUITE-updates" | "$DEBIAN_SUITE-security")
			printf '%s %s %s %s\n' "$1" "$uri" "$suite" "$component" ;;
		esac
	done
}

# run_logged NAME LOG COMMAND...: output goes to LOG. Every 15 seconds a line of progress
# shows that the build goes on. If the command fails, the end of the log is shown and the
# script ends. The command is a process group of its own, so that all of it ends when the
# script is interrupted.
run_logged()
{
	local name=$1 log=$2 start=$SECONDS pid status=0 next=15

	shift 2
	mkdir -p "$(dirname "$log")"
	msg "$name"
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	# shellcheck disable=SC2064 # the process that runs now
	trap "kill -TERM -- -$pid 2>/dev/null; exit 130" INT TERM
	while kill -0 "$pid" 2>/dev/null; do
		if ((SECONDS - start >= next)); then
			msg "$name: $((SECONDS - start)) s, $(wc -l <"$log") lines, $(tail -n 1 "$log" | cut -c 1-60)"
			next=$((next + 15))
		fi
		sleep 0.2
	done
	wait "$pid" || status=$?
	trap - INT TERM
	if ((status)); then
		grep -nE 'error|Error|undefined reference' "$log" | tail -n 15 >&2 || :
		tail -n 15 "$log" >&2
		die "$name failed (status $status); whole log: $log"
	fi
	msg "$name: done in $((SECONDS - start)) s"
}
