#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A virtual machine with memory tagging runs while the device is full. KVM tags some of the
# machine's pages when they are mapped; KVM_ARM_MTE_COPY_TAGS tags the others. The stacks of
# the reservations must show each of the two paths. The tags and bytes of the machine must be
# right, also after it was in swap, and so must the data in the device. Needs the kernel kvm
# and --el2.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

tracing=/sys/kernel/tracing
memory=$((48 << 20))

# stacks_with FUNCTION: how many reservations were made below that function.
stacks_with()
{
	awk -v name="=> $1\n" '
		/<stack trace>/ { n += index(stack, name) > 0; stack = "" }
		/=> / { sub(/.*=> /, "=> "); sub(/[ +].*$/, "", $2); stack = stack "=> " $2 "\n" }
		END { print n + (index(stack, name) > 0) }' $tracing/trace
}

# start_machine NAME: starts the machine; it has verified its memory once.
start_machine()
{
	local line

	coproc machine_of { exec kvm $memory; }
	machine=$!
	while read -r line <&"${machine_of[0]}" && [[ $line != ready ]]; do
		note "$line"
	done
	check_is "$1: tags and bytes are right" ready "$line" || bail "the machine is gone"
}

# end_machine NAME: the machine verifies its memory again, and ends.
end_machine()
{
	local line

	echo >&"${machine_of[1]}"
	while read -r line <&"${machine_of[0]}"; do
		note "$line"
	done
	wait $machine
	check_is "$1" 0 $?
}

[[ -e /dev/kvm ]] || skip_all "no /dev/kvm"
load
static=$(attr tag_storage/blocks_tagged)
carveout=$(attr tag_storage/size)
set_up $((carveout * 8))
count=$(slots fill "$DEV" --count $((carveout * 8 / 4096)))
note "$count slots fill the device"
echo 16384 >$tracing/buffer_size_kb
echo stacktrace >$tracing/events/mtetagram/mtetagram_reserve/trigger

start_machine "machine"
mapped=$(stacks_with user_mem_abort) copied=$(stacks_with kvm_vm_ioctl_mte_copy_tags)
note "$mapped pages reserved as they were mapped, $copied by KVM_ARM_MTE_COPY_TAGS; $(attr hook/evicted) blocks evicted, $(attr hook/evicted_atomic) under locks"
pages=$((memory / 4096 / 2 - 512))
check_that "machine: pages were reserved as KVM mapped them" "$mapped > $pages / 2"
check_that "machine: pages were reserved by KVM_ARM_MTE_COPY_TAGS" "$copied > $pages / 2"
check_that "machine: blocks with data were taken" "$(attr hook/evicted) > 100"
check "machine: what was stored is right" slots verify "$DEV" --count "$count"
end_machine "machine: tags and bytes stay right"
check_is "nothing is lost" 0 "$(attr hook/lost)"
check "discard" blkdiscard "$DEV"
check_empty

# The same device holds the memory of a smaller machine, with its tags.
memory=$((16 << 20))
swap_on "$DEV"
start_machine "swap"
echo $((memory * 2)) >/sys/fs/cgroup/memory.reclaim 2>/dev/null
note "$(awk '/^VmSwap:/ { print $2 }' /proc/$machine/status) KiB of the machine are in swap"
check_that "swap: the machine is in swap" \
	"$(awk '/^VmSwap:/ { print $2 }' /proc/$machine/status) > $memory / 1024 / 2"
end_machine "swap: tags and bytes are right"
check "swapoff" swapoff "$DEV"
check_empty_after_swap
check_balance "$static"
finish
