#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/build-deb.sh: builds the Debian packages of the tool and prints the directory
# that holds them: native/ has source and binary package for this machine, arm64/ the
# cross-built binary package for the guest, and root/ is that one unpacked.
set -euo pipefail
. "$(dirname "$0")/common.sh"

# All that the packages are made of.
INPUTS=(debian tools Makefile versions.mk COPYING)

mapfile -t inputs < <(ours "${INPUTS[@]}")
sysroot=$("$TOP/scripts/build-rootfs.sh" --sysroot)
DIR=$CACHE/deb-$({
	echo "$sysroot"
	hash_files scripts/build-deb.sh "${inputs[@]}"
	(cd "$TOP" && stat -c '%a %n' "${inputs[@]}")
	compiler_id gcc
	compiler_id "${CROSS_COMPILE}gcc"
	dpkg-query -W debhelper dpkg-dev libsmartcols-dev
} | sha256sum | cut -c1-16)

# build_in NAME ARGUMENT...: in a tree of its own below that directory.
build_in()
{
	local tree=$DIR.tmp/$1/mtetagram

	shift
	mkdir -p "$tree"
	printf '%s\n' "${inputs[@]}" | rsync -a --files-from=- "$TOP/" "$tree/"
	(cd "$tree" && dpkg-buildpackage -us -uc "$@")
	rm -rf "$tree"
}

# The build dependencies for arm64 are in the unpacked tree, where dpkg sees none.
build()
{
	rm -rf "$DIR.tmp"
	build_in native
	export SYSROOT=$sysroot
	build_in arm64 -b -aarm64 -d
	dpkg-deb -x "$DIR.tmp"/arm64/mtetagramctl_*.deb "$DIR.tmp/root"
	rm -rf "$DIR"
	mv "$DIR.tmp" "$DIR"
}

unset MAKEFLAGS MFLAGS MAKELEVEL
if [[ ! -d $DIR ]]; then
	with_lock "$CACHE/deb.lock"
	[[ -d $DIR ]] || run_logged "building the Debian packages" "$CACHE/log/deb.log" build
fi
printf '%s\n' "$DIR"
