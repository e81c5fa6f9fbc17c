#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Nearly all memory is tagged while the swap device is full. Nothing is lost, and the data in
# swap is right. The data is a file in a tmpfs; a request for the memory of its cgroup
# swaps the file out.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

cgroup=/sys/fs/cgroup/swapped
file=/dev/shm/swapped

swap_is_full()
{
	(($(awk '/^SwapFree:/ { print $2 }' /proc/meminfo) < 64)) && return
	echo 4M >"$cgroup/memory.reclaim"
	return 1
}

# Tags three quarters of the memory that is available.
tag_most()
{
	hold $(($(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo) * 1024 * 3 / 4)) "$1" \
		</dev/null
}

load
carveout=$(attr tag_storage/size)
static=$(attr tag_storage/blocks_tagged)
count=$((carveout * 3 / 2 / 4096))
set_up "$carveout"
swap_on "$DEV"
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir -p $cgroup
truncate -s $((count * 4096)) $file
# shellcheck disable=SC2016 # expanded by that shell
check "more memory than there is swap" bash -c 'echo $$ >"$1" &&
	exec slots write "$2" --content half --count "$3" --batch 64' - \
	$cgroup/cgroup.procs $file $count
check "the swap device is full" wait_until "swap is full" swap_is_full
used=$(attr tag_storage/blocks_used)
note "$used of $(attr tag_storage/blocks) blocks are in use"
for how in new mprotect; do
	check_loudly "$how: all tags and bytes are right" tag_most $how
done
check "the swap device is still full" swap_is_full
check "all data in swap is right" slots verify $file --content half --count $count --batch 64
print_hook_counts
check_that "most blocks with data were taken" "$(attr hook/evicted) > $used / 2"
check_is "no process was killed for tags" 0 "$(attr hook/killed)"
check "swapoff" swapoff "$DEV"
check "all data is right after swapoff" slots verify $file --content half --count $count --batch 64
rm $file
rmdir $cgroup
check_empty_after_swap
check_balance "$static"
finish
