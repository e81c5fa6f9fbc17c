#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build what guests are made of, and link it in build/products:
#   products.sh qemu|rootfs|kernel-release|kernel-debug|bin...
set -euo pipefail
. "$(dirname "$0")/common.sh"

dir=$TOP/build/products
mkdir -p "$dir"
for product; do
	case $product in
	qemu) ln -sfn "$("$TOP/scripts/build-qemu.sh")" "$dir/qemu" ;;
	rootfs) ln -sfn "$("$TOP/scripts/build-rootfs.sh")" "$dir/rootfs" ;;
	kernel-*)
		out=$("$TOP/scripts/build-kernel.sh" "${product#kernel-}" | tail -n 1)
		ln -sfn "$out" "$dir/$product" ;;
	bin)
		sysroot=$("$TOP/scripts/build-rootfs.sh")/sysroot
		make -s -C "$TOP/tools/mtetagramctl" CROSS_COMPILE="$CROSS_COMPILE" \
			SYSROOT="$sysroot" O="$TOP/build/arm64/mtetagramctl"
		make -s -C "$TOP/tests/proof" CROSS_COMPILE="$CROSS_COMPILE" \
			O="$TOP/build/arm64/proof"
		mkdir -p "$dir/bin"
		install "$TOP"/build/arm64/mtetagramctl/mtetagramctl \
			"$TOP"/build/arm64/proof/{proof,audit} "$dir/bin/" ;;
	*) die "unknown product $product" ;;
	esac
done
