#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two memory nodes, each with tag storage of its own (tests/qemu/run --numa), are two regions
# and two devices. Tags of one region must not touch data of the other, and each region has to
# make room.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# use N: the functions of lib.sh work on device N from now on.
use()
{
	DEV=/dev/mtetagram$1
	SYS=/sys/block/mtetagram$1
}

verify()
{
	local i

	for i in 0 1; do
		check "$1: what device $i stores is right" \
			slots verify "/dev/mtetagram$i" --count "${count[i]}" --seed "$i"
	done
}

# Tags two thirds of the memory that is available, so that some of it is in each node.
hold_tags()
{
	local how=$1 i answer holder before=()

	for i in 0 1; do
		use $i
		before[i]=$(attr hook/evicted)
	done
	coproc holder_of { exec hold $(($(ballast) * 2)) "$how"; }
	holder=$!
	read -r answer <&"${holder_of[0]}"
	check_is "$how: memory is tagged" ready "$answer"
	for i in 0 1; do
		use $i
		note "$how: region $i: $(($(attr hook/evicted) - before[i])) blocks evicted"
		check_that "$how: region $i made room" "$(attr hook/evicted) > ${before[i]} + 100"
	done
	verify "$how"
	eval "exec ${holder_of[1]}>&-"
	wait "$holder"
	check_is "$how: all tags and bytes are right" 0 $?
}

# When the second device cannot be added, the first one stays: it may be in use by then.
modprobe mtetagram_provoke disk=mtetagram1 || bail "modprobe failed"
check "modprobe while the name of the second device is taken" modprobe mtetagram
check "the first device is there" set_up 1M
check "the first device works" slots write "$DEV" --count 100
check_is "the second device is not ours" "" "$(ls -d /sys/block/mtetagram1/tag_storage 2>/dev/null)"
check "rmmod" rmmod mtetagram
check "rmmod of mtetagram_provoke" rmmod mtetagram_provoke

load
check "there are two regions" test -b /dev/mtetagram1 -a ! -e /dev/mtetagram2
static=() count=()
for i in 0 1; do
	use $i
	static[i]=$(attr tag_storage/blocks_tagged)
	set_up $(($(attr tag_storage/size) * 8))
	count[i]=$(slots fill "$DEV" --seed $i --count $(($(attr tag_storage/size) * 8 / 4096)))
	note "region $i: $(attr tag_storage/size) bytes, ${count[i]} slots fill the device"
done
hold_tags new
hold_tags mprotect
for i in 0 1; do
	use $i
	check "discard" blkdiscard "$DEV"
	check_empty
	swap_on "$DEV"
done
check_loudly "swapped memory on the two devices is right" proof --operations 40
for i in 0 1; do
	use $i
	check_that "device $i was swapped to" "$(mm_stat mem_used_max) > 65536"
	check "swapoff" swapoff "$DEV"
	check_empty_after_swap
	check_balance "${static[i]}"
	note "region $i"
	print_hook_counts
done
finish
