#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh DEVICE: in the guest, times the tagging of memory while DEVICE is full of swapped
# heap pages. DEVICE is mtetagram0, zram0 with as much memory, or none for no swap.
# Prints lines "bench NAME VALUE..." for ./run.
# shellcheck source=tests/guest/lib.sh
. /mtetagram/tests/lib.sh

LOAD=/mtetagram/files/tagload
# The size of the carve-out in a machine of 1 GiB.
ROOM=32M
# MiB of pages to swap out: more than the device can hold.
SWAPPED=120
declare -A TAGGED=([fault]=256 [mprotect]=256)

# swap_out: swaps pages out until the device is full.
swap_out()
{
	local sys=/sys/block/$device stored

	echo 1 >"$sys/reset"
	echo lz4 >"$sys/comp_algorithm"
	echo ${SWAPPED}M >"$sys/disksize"
	[[ $device == mtetagram0 ]] || echo $ROOM >"$sys/mem_limit"
	mkswap "/dev/$device" >/dev/null 2>&1 || bail "mkswap"
	swapon "/dev/$device" || bail "swapon"
	exec 3< <(exec $LOAD swap /mtetagram/files/corpus $SWAPPED)
	holder=$!
	read -ru 3 || bail "swapping to $device"
	(($(awk '{ print $2 }' "$sys/io_stat"))) || bail "$device has refused nothing: it is not full"
	read -r stored _ <"$sys/mm_stat"
	echo "bench swapped $stored"
}

# counts: prints the counters of the hook, if this kernel has it.
counts()
{
	local name

	for name in reserved evicted evicted_atomic relocated spilled lost refused; do
		cat $SYS/hook/$name 2>/dev/null
	done | tr '\n' ' '
}

# measure WHAT: measures one way of tagging, with a device that was filled again.
measure()
{
	local before after i

	[[ $device == none ]] || swap_out
	read -ra before < <(counts; echo)
	echo "bench $1 $($LOAD "$1" "${TAGGED[$1]}")"
	read -ra after < <(counts; echo)
	for i in "${!after[@]}"; do
		after[i]=$((after[i] - before[i]))
	done
	echo "bench $1-counts ${after[*]}"
	[[ $device != none ]] || return 0
	kill "$holder"
	wait "$holder"
	swapoff "/dev/$device" || bail "swapoff"
}

device=$1
[[ $device == zram0 ]] || load
[[ $device != zram0 ]] || modprobe zram || bail "no zram"
for what in fault mprotect; do
	measure $what
done
