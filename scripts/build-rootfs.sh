#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/build-rootfs.sh [--sysroot]: makes the guest's user land and prints
# the directory that holds it:
#   rootfs.ext4   Debian arm64, unpacked but not configured, so that nothing of
#                 it runs here; what changes from run to run is on another disk
#   sysroot/      the same with headers, to cross-build our C programs
#   packages      name and version of everything in it
# With --sysroot the last line is the path of the sysroot instead.
set -euo pipefail
. "$(dirname "$0")/common.sh"

PACKAGES=(bash busybox-static coreutils e2fsprogs fio gawk grep kmod libjson-c5
	libmount1 libsmartcols1 mount procps sed stress-ng systemd udev util-linux)
# To build against; not in the image.
DEV_PACKAGES=(libc6-dev libjson-c-dev libmount-dev libsmartcols-dev linux-libc-dev)

hash=$({
	echo "$DEBIAN_SUITE ${PACKAGES[*]} ${DEV_PACKAGES[*]}"
	hash_files scripts/build-rootfs.sh tests/qemu/first-init
} | sha256sum | cut -c1-16)
DIR=$CACHE/rootfs-$hash

bootstrap()
{
	local include mode=auto

	# Nothing is run in there, so that no privilege is needed. The files are
	# the user's own then, which does not matter to the root of the guest.
	((EUID == 0)) || mode=chrootless
	include=$(IFS=,; echo "${PACKAGES[*]},${DEV_PACKAGES[*]}")
	rm -rf "$DIR.tmp"
	mkdir -p "$DIR.tmp"
	debian_sources deb >"$DIR.tmp/sources.list"
	[[ -s $DIR.tmp/sources.list ]] || die "apt knows no archive of $DEBIAN_SUITE"
	mmdebstrap --mode=$mode --architectures=arm64 --variant=extract \
		--include="$include" \
		--extract-hook="ls '$DIR.tmp/sysroot/var/cache/apt/archives' >'$DIR.tmp/packages'" \
		"$DEBIAN_SUITE" "$DIR.tmp/sysroot" "$DIR.tmp/sources.list"
	# Some links are absolute and would point into the machine itself.
	find "$DIR.tmp/sysroot/usr/lib" -type l -lname '/*' -print0 |
		while read -r -d '' link; do
			ln -sfn -r "$DIR.tmp/sysroot$(readlink "$link")" "$link"
		done
}

# Nothing was configured: make by hand what maintainer scripts would have made.
image()
{
	local root=$DIR.tmp/root

	cp -a "$DIR.tmp/sysroot" "$root"
	rm -rf "$root"/usr/share/{doc,man,locale,info,i18n,perl*,bug,lintian} \
		"$root"/usr/include "$root"/var/cache/* "$root"/var/lib/apt/* \
		"$root"/usr/lib/aarch64-linux-gnu/{*.a,perl*} "$root"/usr/lib/gcc* \
		"$root"/etc/apt
	ln -sf bash "$root/bin/sh"
	ln -sf gawk "$root/usr/bin/awk"
	mkdir -p "$root/mtetagram"
	printf 'root:x:0:0:root:/root:/bin/bash\n' >"$root/etc/passwd"
	printf 'root:x:0:\n' >"$root/etc/group"
	ln -sfn /proc/self/mounts "$root/etc/mtab"
	# Without it systemd takes every boot for the first and enables all units.
	echo 6d746574616772616d00000000000000 >"$root/etc/machine-id"
	install -m 755 "$TOP/tests/qemu/first-init" "$root/sbin/first-init"
	((EUID)) || chown -R 0:0 "$root"
	rm -f "$DIR.tmp/rootfs.ext4"
	mke2fs -q -t ext4 -O ^has_journal -L rootfs -d "$root" "$DIR.tmp/rootfs.ext4" 600M
	rm -rf "$root"
}

if [[ ! -f $DIR/rootfs.ext4 ]]; then
	with_lock "$DIR.lock"
fi
if [[ ! -f $DIR/rootfs.ext4 ]]; then
	run_logged "unpacking a Debian arm64 user land" "$CACHE/log/rootfs.log" bootstrap
	run_logged "making the guest's disk image" "$CACHE/log/rootfs-image.log" image
	rm -rf "$DIR"
	mv "$DIR.tmp" "$DIR"
fi
case ${1:-} in
'') printf '%s\n' "$DIR" ;;
--sysroot) printf '%s\n' "$DIR/sysroot" ;;
*) die "usage: $0 [--sysroot]" ;;
esac
