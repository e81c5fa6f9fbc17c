#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/build-qemu.sh: builds the machine model, QEMU for arm64 with the tags in DRAM.
# The last line of output is the path of the binary.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cd "$TOP"
hash=$({
	echo "$QEMU_PACKAGE_VERSION $QEMU_ORIG_SHA256 $QEMU_DEBIAN_SHA256 $(compiler_id gcc)"
	hash_files "patches/$QSERIES"/* scripts/build-qemu.sh
} | sha256sum | cut -c1-16)
dir=$CACHE/qemu-$QEMU_VERSION-$hash
binary=$dir/qemu-system-aarch64
# All versions are built in one directory, so that ccache finds the objects of the last one.
work=$CACHE/qemu-$QEMU_VERSION-build
src=$CACHE/qemu-$QEMU_VERSION-source
upstream=${QEMU_PACKAGE_VERSION#*:}
orig=qemu_${upstream%-*}.orig.tar.xz
debian=qemu_$upstream.debian.tar.xz

# A source package from the archives that this machine uses, with an apt
# configuration of our own: the machine's configuration needs no deb-src entries.
fetch_source()
{
	local apt=$CACHE/apt opts

	mkdir -p "$src" "$apt"/{parts,lists/partial,archives/partial}
	debian_sources deb-src >"$apt/sources.list"
	[[ -s $apt/sources.list ]] || die "apt knows no Debian archive: run apt-get update"
	opts=(-o Dir::Etc::SourceList="$apt/sources.list"
		-o Dir::Etc::SourceParts="$apt/parts" -o Dir::State::Lists="$apt/lists"
		-o Dir::Cache="$apt" -o APT::Sandbox::User=)
	apt-get "${opts[@]}" update
	(cd "$src" && apt-get "${opts[@]}" source --download-only "qemu=$QEMU_PACKAGE_VERSION")
}

check_source()
{
	(cd "$src" && sha256sum --status -c - <<-END
		$QEMU_ORIG_SHA256  $orig
		$QEMU_DEBIAN_SHA256  $debian
	END
	)
}

# apply_series DIRECTORY: the patches of its file "series", in the current directory.
apply_series()
{
	local patch

	read_series "$1" | while read -r patch; do
		patch -p1 --fuzz=0 <"$1/$patch"
	done
}

# Debian's series comes first: it brings 7.2.0 up to the last stable release.
unpack()
{
	rm -rf "$work"
	mkdir -p "$work/src"
	cd "$work/src"
	tar xJf "$src/$orig" --strip-components=1
	tar xJf "$src/$debian"
	apply_series debian/patches
	apply_series "$TOP/patches/$QSERIES"
	# Debian's tarball has no firmware, and we need none.
	sed -i "s/^subdir('pc-bios')/#&/" meson.build
	echo CONFIG_ARM_VIRT=y >configs/devices/aarch64-softmmu/mtetagram.mak
}

configure()
{
	mkdir -p "$work/build"
	cd "$work/build"
	../src/configure --cc="ccache gcc" --target-list=aarch64-softmmu \
		--without-default-features --with-devices-aarch64=mtetagram \
		--enable-system --enable-tcg --enable-fdt=system \
		--disable-install-blobs --with-git-submodules=ignore
}

if [[ -x $binary ]]; then
	echo "$binary"
	exit
fi
with_lock "$work.lock"
if [[ ! -f $src/$orig || ! -f $src/$debian ]]; then
	run_logged "fetching the source of qemu $QEMU_PACKAGE_VERSION" "$CACHE/log/qemu-source.log" \
		fetch_source
fi
check_source || die "$src: a checksum is not that in versions.mk; remove the directory and try again"
# An interrupted build continues where it was.
if [[ $(cat "$work/hash" 2>/dev/null) != "$hash" || ! -f $work/build/build.ninja ]]; then
	run_logged "unpacking and patching qemu" "$CACHE/log/qemu-unpack.log" unpack
	run_logged "configuring qemu" "$CACHE/log/qemu-configure.log" configure
	echo "$hash" >"$work/hash"
fi
run_logged "building qemu (10 minutes on 2 cores)" "$CACHE/log/qemu-build.log" \
	ninja -C "$work/build" -j "$JOBS" qemu-system-aarch64
mkdir -p "$dir"
cp "$work/build/qemu-system-aarch64" "$binary.tmp"
mv "$binary.tmp" "$binary"
rm -rf "$work"/{src,build,hash}
echo "$binary"
