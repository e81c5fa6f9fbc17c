#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/products.sh qemu|rootfs|kernel-release|kernel-debug|bin|deb...: builds what
# guests are made of and links it in build/products, where tests/qemu/run finds it.
set -euo pipefail
. "$(dirname "$0")/common.sh"

DIR=$BUILD/products

# C programs for the guest; each has a Makefile that knows O= and CROSS_COMPILE=.
PROGRAMS=(tools/mtetagramctl tests/proof)

build_programs()
{
	local sysroot dir out

	sysroot=$("$TOP/scripts/build-rootfs.sh" --sysroot)
	rm -rf "$DIR/bin.tmp"
	mkdir -p "$DIR/bin.tmp"
	for dir in "${PROGRAMS[@]}"; do
		[[ -f $TOP/$dir/Makefile ]] || continue
		out=$BUILD/arm64/${dir##*/}
		mkdir -p "$out"
		make -s -C "$TOP/$dir" CROSS_COMPILE="$CROSS_COMPILE" SYSROOT="$sysroot" \
			O="$out" >&2
		find "$out" -maxdepth 1 -type f -perm -u+x -exec cp -p {} "$DIR/bin.tmp/" \;
	done
	rm -rf "${DIR:?}/bin"
	mv "$DIR/bin.tmp" "$DIR/bin"
}

# Not from make's own environment: these are builds of their own.
unset MAKEFLAGS MFLAGS MAKELEVEL
mkdir -p "$DIR"
for product; do
	case $product in
	qemu) out=$("$TOP/scripts/build-qemu.sh") ;;
	rootfs) out=$("$TOP/scripts/build-rootfs.sh") ;;
	kernel-*) out=$("$TOP/scripts/build-kernel.sh" "${product#kernel-}") ;;
	bin) build_programs; continue ;;
	deb) out=$("$TOP/scripts/build-deb.sh") ;;
	*) die "unknown product $product" ;;
	esac
	ln -sfn "$out" "$DIR/$product"
done
