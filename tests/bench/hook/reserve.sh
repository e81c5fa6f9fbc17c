#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# reserve.sh [FILE]: in the guest, times the hook, and alloc_contig_range() in the same machine.
# The device is filled with copies of FILE, or of the guest's disk. Prints lines "bench NAME
# VALUE..." for ./run.
# shellcheck source=tests/guest/lib.sh
. /mtetagram/tests/lib.sh

MODULE=/mtetagram/files/hook_bench.ko
BENCH=/sys/kernel/debug/mtetagram_bench
CMA=/sys/kernel/debug/cma/reserved
source=${1:-/dev/vda}
load
block_size=$(attr tag_storage/block_size)

# measure NAME PARAMETER...: runs the module once.
measure()
{
	local name=$1 what

	shift
	insmod $MODULE "$@" || bail "$name: insmod $*"
	cut -d' ' -f1 $BENCH/samples | sort -u | while read -r what; do
		echo "bench $name-$what $(sed -n "s/^$what //p" $BENCH/samples | tr '\n' ' ')"
	done
	rmmod hook_bench
}

# reserve NAME PARAMETER...: runs the module once, and prints what the hook did meanwhile.
reserve()
{
	local name=$1 counter before=()

	for counter in evicted relocated spilled lost; do
		before+=("$(attr hook/$counter)")
	done
	echo "bench $name-used $(attr tag_storage/blocks_used) $(attr tag_storage/blocks)"
	measure "$@"
	for counter in evicted relocated spilled lost; do
		echo "bench $name-$counter $(($(attr hook/$counter) - before[0]))"
		before=("${before[@]:1}")
	done
}

# fill PERCENT: stores one megabyte after the other, until the device uses so much of the
# carve-out, or takes no more.
fill()
{
	local want=$(($(attr tag_storage/blocks) * $1 / 100))

	while (($(attr tag_storage/blocks_used) < want)); do
		dd if="$source" of=$DEV bs=1M count=1 skip=$((mib % source_mib)) seek=$mib \
			iflag=direct oflag=direct status=none 2>/dev/null || return 0
		mib=$((mib + 1))
	done
}

if [[ -b $source ]]; then
	source_mib=$(($(blockdev --getsize64 "$source") >> 20))
else
	source_mib=$(($(stat -c %s "$source") >> 20))
fi
count=300 huge=30
((block_size == 4096)) || count=40
set_up 600M
measure free used=0 count=$count
mib=0
fill 80
reserve room count=$count
reserve room-huge order=9 count=$huge
fill 100
echo "bench full-size $(mm_stat orig_data_size) $(mm_stat compr_data_size)"
reserve full count=$count
reserve full-huge order=9 count=$huge

set_attr reset 1
# With huge pages, the kernel would keep so much memory free that little would be left.
echo 4096 >/proc/sys/vm/min_free_kbytes
first=$(<$CMA/base_pfn) pages=$(<$CMA/count)
exec 3< <(exec /mtetagram/files/load fill "$first" "$pages" $((64 << 20)))
filler=$!
read -ru 3 line
echo "bench cma ${line//[a-z]/}"
measure cma test=contig first="$first" pages="$pages" count=200 \
	wanted=$((block_size / 4096))
kill $filler
