#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/kernel-tree.sh NAME: makes the kernel source tree NAME in the cache
# what this checkout says and prints its path.
#
# The tree is the pinned kernel plus our new files (which lie in the checkout at
# their kernel path) plus the existing files that patches/ changes. It consists
# of hard links to one pristine copy; what is overlaid is always written as a
# new file and renamed, so that the pristine copy never changes. Files whose
# content is the same keep their time stamp, so that make rebuilds little; files
# that are not overlaid any more are restored.
#
# There is a tree for each user (release, debug, style, ...), so that no build
# sees its sources change. The caller must hold the lock of the tree. With
# MTETAGRAM_NO_PATCHES=1 only the new files are put in.

set -euo pipefail
. "$(dirname "$0")/common.sh"

[[ $# == 1 ]] || die "usage: $0 NAME"
NAME=$1
BASE=$CACHE/linux-$KVER
TREE=$BASE/tree-$NAME
STAGE=$BASE/stage-$NAME
LIST=$BASE/overlay-$NAME.list
PATCHES=$TOP/patches/$KSERIES
# Top directories of the kernel in which the checkout may hold new files.
KERNEL_DIRS=(arch block drivers fs include kernel lib mm)

# Prints the path of the pinned archive: the installed package's if it is that
# version, else the package is fetched (not installed) and unpacked.
source_archive()
{
	local tar=/usr/src/$KPACKAGE.tar.xz own=$BASE/$KPACKAGE-$KVER.tar.xz

	if [[ -f $own ]]; then
		printf '%s\n' "$own"
		return
	fi
	if [[ -f $tar ]] && sha256sum --status -c <<<"$KSHA256  $tar"; then
		printf '%s\n' "$tar"
		return
	fi
	msg "fetching package $KPACKAGE $KPACKAGE_VERSION"
	rm -rf "$BASE/deb.tmp"
	mkdir -p "$BASE/deb.tmp"
	(cd "$BASE/deb.tmp" &&
		apt-get download -q "$KPACKAGE=$KPACKAGE_VERSION" >&2 &&
		dpkg-deb -x ./*.deb x)
	sha256sum --status -c <<<"$KSHA256  $BASE/deb.tmp/x$tar" ||
		die "checksum of $KPACKAGE $KPACKAGE_VERSION is not that in versions.mk"
	mv "$BASE/deb.tmp/x$tar" "$own"
	rm -rf "$BASE/deb.tmp"
	printf '%s\n' "$own"
}

make_pristine()
{
	local archive

	[[ -d $BASE/pristine ]] && return
	with_lock "$BASE/pristine.lock"
	[[ -d $BASE/pristine ]] && return
	archive=$(source_archive)
	msg "unpacking kernel $KVER"
	rm -rf "$BASE/pristine.tmp"
	mkdir -p "$BASE/pristine.tmp"
	tar -C "$BASE/pristine.tmp" --strip-components=1 --no-same-owner -xf "$archive"
	mv "$BASE/pristine.tmp" "$BASE/pristine"
}

make_tree()
{
	[[ -d $TREE ]] && return
	rm -rf "$TREE.tmp" "$LIST"
	cp -al "$BASE/pristine" "$TREE.tmp"
	mv "$TREE.tmp" "$TREE"
}

# The patches in order, as paths.
series()
{
	[[ -f $PATCHES/series && ! ${MTETAGRAM_NO_PATCHES:-} ]] || return 0
	read_series "$PATCHES" | sed "s|^|$PATCHES/|"
}

# Copies of the files a patch touches, to be patched outside the tree.
stage_patched()
{
	local patch file

	series | while read -r patch; do
		[[ -f $patch ]] || die "missing patch: $patch"
		sed -nE 's|^(---\|\+\+\+) [ab]/([^[:space:]]+).*|\2|p' "$patch" |
			sort -u | while read -r file; do
			[[ -e $STAGE/$file || ! -e $BASE/pristine/$file ]] && continue
			mkdir -p "$STAGE/$(dirname "$file")"
			cp "$BASE/pristine/$file" "$STAGE/$file"
		done
		patch -d "$STAGE" -p1 --fuzz=0 --batch --forward --silent \
			--no-backup-if-mismatch -r - <"$patch" >&2 ||
			die "patch does not apply to $KVER: ${patch#"$TOP"/}"
	done
}

stage_new()
{
	local dir file

	for dir in "${KERNEL_DIRS[@]}"; do
		[[ ! -d $TOP/$dir ]] || find "$TOP/$dir" -type f ! -name '*~' \
			! -name '.*.sw?' ! -name '*.orig' ! -name '*.rej' -printf "$dir/%P\n"
	done | while read -r file; do
		[[ ! -e $STAGE/$file ]] || die "$file is both a new file and in a patch"
		mkdir -p "$STAGE/$(dirname "$file")"
		cp "$TOP/$file" "$STAGE/$file"
	done
}

# Restores what the last overlay touched and this one does not. A copy, not a
# link: its time stamp must be newer than the objects built from the old one.
restore()
{
	local file

	[[ -f $LIST ]] || return 0
	comm -23 <(sort "$LIST") <(sort "$LIST.new") | while read -r file; do
		rm -f "$TREE/$file"
		if [[ -e $BASE/pristine/$file ]]; then
			cp "$BASE/pristine/$file" "$TREE/$file"
		else
			rmdir -p --ignore-fail-on-non-empty "$TREE/$(dirname "$file")"
		fi
	done
}

mkdir -p "$BASE"
make_pristine
make_tree
rm -rf "$STAGE"
mkdir -p "$STAGE"
stage_patched
stage_new
(cd "$STAGE" && find . -type f -printf '%P\n') | sort >"$LIST.new"
restore
# Both lists until the overlay is complete: an interrupt must lose nothing.
if [[ -f $LIST ]]; then
	sort -u "$LIST" "$LIST.new" >"$LIST.both"
	mv "$LIST.both" "$LIST"
else
	cp "$LIST.new" "$LIST"
fi
rsync -rl --checksum "$STAGE/" "$TREE/"
mv "$LIST.new" "$LIST"
printf '%s\n' "$TREE"
