#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/check-series.sh [--build]: is the series of patches to existing kernel
# files fit to be sent? Each patch applies with zero fuzz, is signed off and
# passes checkpatch --strict. With --build the directories that a patch touches
# also compile after it, with CONFIG_MTETAGRAM n, m and y as far as the options
# exist by then. Our new files lie in the tree from the beginning: the patch
# that hooks them up is what brings them in. KTAP on stdout.
set -euo pipefail
. "$(dirname "$0")/common.sh"

BASE=$CACHE/linux-$KVER
TREE=$BASE/tree-series
OUT=$BASE/series
LOG=$BUILD/series
LIST=$BASE/series-touched.list
PATCHES=$TOP/patches/$KSERIES
MAKE=(nice make -C "$TREE" O="$OUT" ARCH=arm64 LOCALVERSION=
	CROSS_COMPILE="$CROSS_COMPILE" CC="ccache ${CROSS_COMPILE}gcc")
unset MAKEFLAGS
number=0 failed=0

# result STATUS NAME FILE: one line of KTAP, with FILE if it failed.
result()
{
	number=$((number + 1))
	if [[ $1 == 0 ]]; then
		echo "ok $number $2"
	else
		tail -n 40 "$3" | sed 's/^/# /'
		echo "not ok $number $2"
		failed=1
	fi
}

touched()
{
	sed -nE 's|^\+\+\+ b/([^[:space:]]+).*|\1|p' "$1" | sort -u
}

# Undoes the patches of the last run; unchanged files keep their time stamp.
restore()
{
	local patch file

	touch "$LIST"
	for patch in "${patches[@]}"; do
		touched "$PATCHES/$patch"
	done >>"$LIST"
	sort -u -o "$LIST" "$LIST"
	while read -r file; do
		if [[ ! -e $BASE/pristine/$file ]]; then
			rm -f "$TREE/$file"
		elif [[ $TREE/$file -ef $BASE/pristine/$file ]] ||
			! cmp -s "$TREE/$file" "$BASE/pristine/$file"; then
			cp --remove-destination "$BASE/pristine/$file" "$TREE/$file"
		fi
	done <"$LIST"
}

# Offsets mean that the patch was made for another base.
check_apply()
{
	patch -d "$TREE" -p1 --fuzz=0 --batch --forward --no-backup-if-mismatch -r - \
		<"$1" >"$LOG/apply.log" 2>&1 &&
		! grep -qE 'offset|fuzz' "$LOG/apply.log"
}

check_signed()
{
	grep -q '^Signed-off-by: .\+ <.\+@.\+>$' "$1"
}

check_style()
{
	(cd "$TREE" && perl scripts/checkpatch.pl --strict --quiet --show-types --terse \
		--ignore FILE_PATH_CHANGES "$1") >"$LOG/checkpatch.log" 2>&1
}

# The directories and files to compile for what a patch touches.
targets()
{
	touched "$1" | while read -r file; do
		case $file in
		*.c) echo "${file%.c}.o" ;;
		arch/arm64/include/*) echo arch/arm64/mm/ arch/arm64/kernel/mte.o ;;
		esac
	done
	echo drivers/block/ arch/arm64/mm/ mm/page_alloc.o
}

# compile PATCH VALUE: with CONFIG_MTETAGRAM as VALUE.
compile()
{
	local core=y

	set -e
	[[ $2 != n ]] || core=n
	{
		grep -E '^(CONFIG_|# CONFIG_.* is not set$)' "$TOP/tests/qemu/kernel.config"
		# What the patches touch and guests of the tests seldom need.
		printf 'CONFIG_%s=y\n' VIRTUALIZATION KVM KEXEC
		[[ $core == n ]] || echo CONFIG_MTETAGRAM_CORE=y
		[[ $2 == n ]] || echo "CONFIG_MTETAGRAM=$2"
	} >"$OUT/requested.config"
	"${MAKE[@]}" KCONFIG_ALLCONFIG="$OUT/requested.config" allnoconfig
	if [[ $2 != n ]] && grep -q mtetagram "$TREE/drivers/block/Kconfig"; then
		grep -qx "CONFIG_MTETAGRAM=$2" "$OUT/.config"
	fi
	# shellcheck disable=SC2046 # one word each
	"${MAKE[@]}" -j"$JOBS" prepare $(targets "$1" | tr ' ' '\n' | sort -u)
}

check_patch()
{
	local patch=$1 name value status

	name=$(basename "$patch" .patch | cut -c 1-40)
	status=0; check_apply "$patch" || status=1
	result $status "$name applies" "$LOG/apply.log"
	status=0; check_signed "$patch" || status=1
	result $status "$name is signed off" /dev/null
	status=0; check_style "$patch" || status=1
	result $status "$name passes checkpatch" "$LOG/checkpatch.log"
	[[ $BUILDS ]] || return 0
	for value in n m y; do
		status=0
		# A subshell of its own: errexit does not work to the left of ||.
		(compile "$patch" "$value") >"$LOG/compile.log" 2>&1 &
		wait $! || status=1
		result $status "$name compiles with MTETAGRAM=$value" "$LOG/compile.log"
	done
}

BUILDS=
[[ ${1:-} != --build ]] || BUILDS=1
mkdir -p "$LOG" "$OUT"
with_lock "$BASE/series.lock"
# The tree begins without the patches; our new files are there.
MTETAGRAM_NO_PATCHES=1 "$TOP/scripts/kernel-tree.sh" series >/dev/null
mapfile -t patches < <(sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$PATCHES/series")
((${#patches[@]})) || die "no patches in $PATCHES/series"
restore
echo "KTAP version 1"
echo "1..$((${#patches[@]} * (BUILDS ? 6 : 3)))"
for p in "${patches[@]}"; do
	check_patch "$PATCHES/$p"
done
exit $failed
