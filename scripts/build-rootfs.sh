#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Make the guest's user land: a Debian arm64 tree, unpacked but not configured (so
# nothing of it runs here), as a disk image, and as a sysroot to build against.
# The last line of output is the directory that holds rootfs.ext4 and sysroot/.
set -euo pipefail
. "$(dirname "$0")/common.sh"

packages=(bash busybox-static coreutils e2fsprogs fio gawk grep kmod libsmartcols1
	mount procps sed stress-ng util-linux)
# Only to build our tool against, not in the image.
dev_packages=(libc6-dev libsmartcols-dev linux-libc-dev)

hash=$({
	echo "$DEBIAN_SUITE ${packages[*]} ${dev_packages[*]}"
	hash_files scripts/build-rootfs.sh tests/qemu/first-init
} | sha256sum | cut -c1-16)
dir=$CACHE/rootfs-$hash
if [ -f "$dir/rootfs.ext4" ]; then
	echo "$dir"
	exit
fi
with_lock "$dir.lock"

bootstrap() {
	local include
	include=$(IFS=,; echo "$*")
	rm -rf "$dir.tmp"
	mkdir -p "$dir.tmp"
	debian_sources deb >"$dir.tmp/sources.list"
	mmdebstrap --architectures=arm64 --variant=extract --include="$include" \
		"$DEBIAN_SUITE" "$dir.tmp/sysroot" "$dir.tmp/sources.list"
}

# Nothing was configured: make by hand the few things that scripts would have made.
finish() {
	local root=$dir.tmp/root
	cp -a "$dir.tmp/sysroot" "$root"
	(cd "$root" && rm -rf usr/share/{doc,man,locale,info,i18n,perl*} usr/include \
		var/cache/* var/lib/apt/* usr/lib/aarch64-linux-gnu/{*.a,perl*} \
		usr/lib/gcc* etc/apt)
	ln -sf bash "$root/bin/sh"
	ln -sf gawk "$root/usr/bin/awk"
	mkdir -p "$root/mtetagram"
	printf 'root:x:0:0:root:/root:/bin/bash\n' >"$root/etc/passwd"
	printf 'root:x:0:\n' >"$root/etc/group"
	install -m 755 "$TOP/tests/qemu/first-init" "$root/sbin/first-init"
	chown -R 0:0 "$root"
	rm -f "$dir.tmp/rootfs.ext4"
	mke2fs -q -t ext4 -O ^has_journal -L rootfs -d "$root" "$dir.tmp/rootfs.ext4" 600M
	rm -rf "$root"
}

run_logged "unpacking a Debian arm64 user land" "$CACHE/log/rootfs.log" \
	bootstrap "${packages[@]}" "${dev_packages[@]}"
run_logged "making the guest's disk image" "$CACHE/log/rootfs-image.log" finish
rm -rf "$dir"
mv "$dir.tmp" "$dir"
echo "$dir"
