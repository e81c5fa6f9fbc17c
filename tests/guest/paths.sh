#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each code path on which Linux tags a page is taken on purpose while the device holds data.
# The kernel's trace must show that the path was taken; the bytes and tags of the pages and
# the data in the device must be right. Then the test does what can happen to a machine:
# hibernation, suspend, and a CPU that goes offline.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

tracing=/sys/kernel/tracing
event=$tracing/events/mtetagram/mtetagram_reserve

# Functions that are on the stack together when a page is reserved. "prepare" is on it where
# the page was allocated, walk_page_range where mprotect() is about to change the mapping,
# "fault" where the page is about to be mapped, "swapin" where the page comes from swap.
# A folio of 64 KiB is allocated by an inlined function; with a single page there would be
# one more function on the stack.
prepare=__mtetagram_prepare
fault=__mtetagram_prepare_fault
swapin=__mtetagram_prepare_swapin
copy=__mtetagram_prepare_copy
declare -A seen=(
	[anon]="vma_alloc_zeroed_movable_folio $prepare"
	[mprotect]="mprotect_fixup walk_page_range"
	[thp]="do_huge_pmd_anonymous_page $prepare"
	[thp-mprotect]="mprotect_fixup walk_page_range"
	[mthp]="$prepare>__handle_mm_fault"
	[huge-zero]="do_huge_pmd_anonymous_page $fault"
	[shmem]="finish_fault $fault"
	[fault-around]="finish_fault $fault"
	[uffd-copy]="mfill_atomic_copy $prepare"
	[uffd-zero]="do_wp_page $prepare"
	[cow]="do_wp_page $prepare"
	[cow-file]="$prepare>__handle_mm_fault"
	[fork-pinned]="copy_page_range $prepare"
	[migrate]="migrate_pages $copy"
	[collapse]="madvise_collapse __mtetagram_prepare_pages"
	[collapse-shmem]="collapse_file $copy"
	[swapin]="do_swap_page $prepare"
	[swapin-shmem]="shmem_swapin_folio $swapin"
	[swapoff]="__arm64_sys_swapoff $swapin"
	[swapoff-shmem]="__arm64_sys_swapoff shmem_unuse $swapin"
	[remote]="mem_rw $prepare"
	[process-vm]="__arm64_sys_process_vm_writev $prepare"
	[process-swap]="__arm64_sys_process_vm_readv do_swap_page $swapin"
	[ksm-swapin]="ksm_might_need_to_copy $prepare"
	[split]="mprotect_fixup walk_page_range"
	[poison]="vma_alloc_zeroed_movable_folio $prepare"
)

trace_on()
{
	echo 0 >"$tracing/tracing_on"
	echo >"$tracing/trace"
	echo 1 >"$tracing/tracing_on"
}

# One stack must hold all the functions. "a>b" is function a, called by b.
stack_with()
{
	echo 0 >"$tracing/tracing_on"
	awk -v want="$*" '
		BEGIN {
			n = split(want, name, " ")
			for (i in name)
				gsub(">", "\n=> ", name[i])
		}
		function judge(  i) {
			for (i = 1; i <= n; i++)
				if (index(stack, "=> " name[i] "\n") == 0)
					return
			if (stack != "")
				found++
		}
		/<stack trace>/ { judge(); stack = "" }
		/=> / { sub(/.*=> /, "=> "); sub(/[ +].*$/, "", $2); stack = stack "=> " $2 "\n" }
		END { judge(); print found + 0; exit found == 0 }' "$tracing/trace"
}

take_path()
{
	local name=$1

	trace_on
	check_loudly "$name: bytes and tags are right" paths "$name"
	check "$name: the path was taken" stack_with "${seen[$name]}"
}

load
static=$(attr tag_storage/reserved_pages)
echo 16384 >"$tracing/buffer_size_kb"
echo stacktrace >$event/trigger
echo 1 >/sys/kernel/mm/transparent_hugepage/use_zero_page
set_up $(($(attr tag_storage/size) * 8))
count=$(slots fill "$DEV" --count $(($(attr tag_storage/size) * 8 / 4096)))
note "$count slots fill the device"

for name in anon mprotect thp thp-mprotect mthp huge-zero shmem fault-around uffd-copy \
	uffd-zero cow cow-file fork-pinned migrate collapse collapse-shmem remote \
	process-vm split poison; do
	take_path $name
done
check_loudly "uffd-move: bytes and tags are right" paths uffd-move
check_loudly "ksm: tagged pages are not merged" paths ksm
check_loudly "a process that tags is preempted by one that waits for the same pages" preempt 200
check "all data that was stored is right" slots verify "$DEV" --count "$count"

# What can happen to the machine.
check_fails_with "hibernation is refused" "busy" sh -c 'echo disk >/sys/power/state'
check "the log says why hibernation is refused" sh -c 'dmesg | grep -q "is set up, and hibernation would lose"'
echo devices >/sys/power/pm_test
check "suspend to idle and back" sh -c 'echo freeze >/sys/power/state'
echo none >/sys/power/pm_test
check "a CPU goes offline" sh -c 'echo 0 >/sys/devices/system/cpu/cpu1/online'
check_loudly "mprotect: right without that CPU" paths mprotect
check "the CPU comes online" sh -c 'echo 1 >/sys/devices/system/cpu/cpu1/online'
check_loudly "mprotect: right with that CPU" paths mprotect
check "all data that was stored is right" slots verify "$DEV" --count "$count"
check "discard" blkdiscard "$DEV"
check_empty

# The same device holds the tagged pages themselves.
swap_on "$DEV"
take_path swapin
take_path swapin-shmem
take_path process-swap
check "process-swap: writing takes the path, too" \
	stack_with __arm64_sys_process_vm_writev do_swap_page $swapin
cgroup=/sys/fs/cgroup/paths
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir $cgroup
echo $$ >$cgroup/cgroup.procs
take_path ksm-swapin
echo $$ >/sys/fs/cgroup/cgroup.procs
check "the memory cgroup is empty" rmdir $cgroup
trace_on
coproc paths_of { exec paths swapoff; }
paths_pid=$!
while read -r line <&"${paths_of[0]}" && [[ $line != ready ]]; do
	note "$line"
done
check "swapoff: with tagged pages in swap" swapoff "$DEV"
eval "exec ${paths_of[1]}>&-"
wait $paths_pid
check_is "swapoff: bytes and tags are right" 0 $?
check "swapoff: the path was taken" stack_with "${seen[swapoff]}"
check "swapoff: the path of shared memory was taken" stack_with "${seen[swapoff-shmem]}"

print_hook_counts
check_empty_after_swap
check_balance_but_failed "$static"
check_is "no object was lost" 0 "$(attr hook/lost)"
finish
