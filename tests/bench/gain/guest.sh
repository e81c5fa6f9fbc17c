#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh SWAP PERCENT SEED CHECK SAMPLE: in the guest, how much anonymous memory can be
# held until the kernel kills the process for lack of memory. SWAP is none, mtetagram, zram
# or both; with both, zram has the lower priority. PERCENT is the size of the mtetagram
# device, as a share of the carve-out. The other arguments are those of hold.c. Prints lines
# "bench NAME VALUE..." for ./run.
# shellcheck source=tests/guest/lib.sh
. /mtetagram/tests/lib.sh

HOLD=/mtetagram/files/hold
CORPUS=/mtetagram/files/corpus

# The zram device is three times as large as the memory: pages of heaps compress so well.
swap_to_zram()
{
	modprobe zram || bail "no zram"
	echo lz4 >/sys/block/zram0/comp_algorithm
	awk '/^MemTotal:/ { printf "%dK", 3 * $2 }' /proc/meminfo >/sys/block/zram0/disksize
	mkswap /dev/zram0 >/dev/null 2>&1 || bail "mkswap"
	swapon --priority 10 /dev/zram0 || bail "swapon"
}

swap_to_mtetagram()
{
	load
	set_up $(($(attr tag_storage/size) * percent / 100)) lz4
	mkswap $DEV >/dev/null 2>&1 || bail "mkswap"
	swapon --priority 100 $DEV || bail "swapon"
}

# Prints how much data of hold the device stores, and how much memory it takes for that.
print_density()
{
	echo "bench carveout $(attr tag_storage/size)"
	echo "bench disksize $(attr disksize)"
	swapoff $DEV || bail "swapoff"
	set_up 400M lz4
	dd if=$CORPUS of=$DEV bs=1M oflag=direct status=none || bail "dd"
	echo "bench density $(mm_stat orig_data_size) $(mm_stat mem_used_total)"
}

vmstat()
{
	awk -v name="$1" '$1 == name { print $2 }' /proc/vmstat
}

swap=$1 percent=$2
sysctl -qw vm.overcommit_memory=1 vm.page-cluster=0 vm.swappiness=100 || bail "sysctl"
[[ $swap != mtetagram && $swap != both ]] || swap_to_mtetagram
[[ $swap != zram && $swap != both ]] || swap_to_zram
flush_memory
echo "bench memory $(awk '/^MemTotal:|^MemAvailable:/ { print $2 * 1024 }' /proc/meminfo |
	tr '\n' ' ')"
killed=$(vmstat oom_kill)
counts=$($HOLD $CORPUS "${@:3}") || bail "hold"
echo "bench pages $counts"
(($(vmstat oom_kill) == killed + 1)) || bail "not one process was killed for lack of memory"
for device in mtetagram0 zram0; do
	[[ ! -e /sys/block/$device ]] ||
		echo "bench device.$device $(cat /sys/block/$device/{mm_stat,io_stat} | tr -s "\n " " ")"
done
echo "bench scanned $(vmstat pgscan_kswapd) $(vmstat pgscan_direct) $(vmstat pswpout)"
[[ $swap != mtetagram && $swap != both ]] || print_density
