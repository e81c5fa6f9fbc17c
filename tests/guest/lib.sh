# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests in the guest share. Each test sources this file first. The file ends
# the test on any other machine: the tests take devices, swap and memory as they please.
#
# A test calls check for each thing that it looks at, and ends with finish. The
# results are printed as KTAP; the exit status is 0 if all were ok, 4 if the test
# does not apply to this machine, else 1.
#
# tests/lib/ktap.sh does the same on the host. The guest does not use that file: only
# tests/guest is copied into it, and a test goes on after a command that fails.

set -uo pipefail

if ! grep -q 'mtetagram[._]test=1' /proc/cmdline; then
	echo "${0##*/}: this is not the test machine" >&2
	exit 2
fi

# The tests of one device use the first.
DEV=/dev/mtetagram0
SYS=/sys/block/mtetagram0
# shellcheck disable=SC2034 # used by the tests
DEBUGFS=/sys/kernel/debug/mtetagram/region0

CHECKS=0
FAILED=0

# Huge pages are off by default in a machine of this size. With these settings a mapping
# that asks for huge pages gets them, or folios of 64 KiB where no huge page is free.
for setting in enabled defrag hugepages-64kB/enabled; do
	echo madvise >/sys/kernel/mm/transparent_hugepage/$setting
done
echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled

echo "KTAP version 1"

note()
{
	printf '# %s\n' "$*"
}

pass()
{
	CHECKS=$((CHECKS + 1))
	printf 'ok %d %s\n' $CHECKS "$*"
}

fail()
{
	CHECKS=$((CHECKS + 1))
	FAILED=$((FAILED + 1))
	printf 'not ok %d %s\n' $CHECKS "$*"
}

# Ends a test that cannot go on.
bail()
{
	printf 'Bail out! %s\n' "$*"
	exit 1
}

skip_all()
{
	printf '1..0 # SKIP %s\n' "$*"
	exit 4
}

finish()
{
	printf '1..%d\n' $CHECKS
	exit $((FAILED != 0))
}

# check DESCRIPTION COMMAND...: ok if the command succeeds; its output is shown as
# comments if it does not.
check()
{
	local what=$1 output

	shift
	if output=$("$@" 2>&1); then
		pass "$what"
		return 0
	fi
	[[ -z $output ]] || printf '%s\n' "$output" | head -n 30 | sed 's/^/#   /'
	fail "$what"
	return 1
}

# check_loudly DESCRIPTION COMMAND...: like check, but the output is always shown.
check_loudly()
{
	local what=$1

	shift
	if "$@" 2>&1; then
		pass "$what"
		return 0
	fi
	fail "$what (status $?)"
	return 1
}

# check_is DESCRIPTION WANTED GOT
check_is()
{
	if [[ $2 == "$3" ]]; then
		pass "$1"
		return 0
	fi
	note "wanted '$2', got '$3'"
	fail "$1"
	return 1
}

# check_that DESCRIPTION EXPRESSION: does an arithmetic expression of bash hold?
check_that()
{
	if (($2)); then
		pass "$1"
		return 0
	fi
	note "does not hold: $2"
	fail "$1"
	return 1
}

# check_fails_with DESCRIPTION TEXT COMMAND...: the command must fail, with TEXT in its
# output.
check_fails_with()
{
	local what=$1 text=$2 output

	shift 2
	if output=$("$@" 2>&1); then
		fail "$what: it succeeded"
		return 1
	fi
	if [[ $output == *"$text"* ]]; then
		pass "$what"
		return 0
	fi
	note "wanted '$text', got '$output'"
	fail "$what"
	return 1
}

attr()
{
	cat "$SYS/$1"
}

set_attr()
{
	printf '%s\n' "$2" >"$SYS/$1"
}

# A column of mm_stat by zram's name.
mm_stat()
{
	local names=(orig_data_size compr_data_size mem_used_total mem_limit mem_used_max
		same_pages pages_compacted huge_pages huge_pages_since)
	local values i

	read -ra values <"$SYS/mm_stat"
	for i in "${!names[@]}"; do
		[[ ${names[i]} != "$1" ]] || echo "${values[i]}"
	done
}

is_debug()
{
	[[ -e /sys/kernel/debug/kmemleak ]]
}

# by_flavour RELEASE DEBUG: the number for the kernel that runs; the debug kernel is
# slower.
by_flavour()
{
	if is_debug; then echo "$2"; else echo "$1"; fi
}

# A third of the free memory, in bytes: ballast for each of two processes.
ballast()
{
	awk '/^MemAvailable:/ { printf "%d\n", $2 * 1024 / 3 }' /proc/meminfo
}

load()
{
	[[ -b $DEV ]] || modprobe mtetagram || bail "modprobe mtetagram failed"
	[[ -b $DEV ]] || bail "$DEV did not appear"
}

# set_up SIZE [ALGORITHM]: resets the device and sets it up.
set_up()
{
	load
	set_attr reset 1 || bail "cannot reset $DEV"
	[[ -z ${2:-} ]] || set_attr comp_algorithm "$2" || bail "no algorithm $2"
	set_attr disksize "$1" || bail "cannot set the size of $DEV to $1"
}

swap_on()
{
	local device=$1

	mkswap "$device" >/dev/null 2>&1 || bail "mkswap $device failed"
	swapon -d "$device" || bail "swapon $device failed"
}

# Gives freed memory back to the page allocator. Freed pages may still be in lists of each
# CPU, and the huge zero page in a cache. A request for compaction empties these lists on all
# CPUs before the request returns.
flush_memory()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	echo 1 >/proc/sys/vm/compact_memory
}

# Returns when each processor has run a program.
all_cpus_ran()
{
	local cpu

	for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
		[[ $(cat "$cpu/online" 2>/dev/null) == 0 ]] || taskset -c "${cpu##*cpu}" true
	done
}

# wait_until TEXT COMMAND...: until the command succeeds. For work that other CPUs do in
# their own time, like freeing the memory of a process that has just ended. Fails when
# each CPU had its turn many times.
wait_until()
{
	local what=$1 i

	shift
	for ((i = 0; i < 200; i++)); do
		"$@" && return 0
		flush_memory
		all_cpus_ran
	done
	note "gave up waiting: $what"
	return 1
}

# A load is a program that goes on until SIGTERM, and prints a line whenever it has done
# more of its work (proof and race with --endless). Its output is in /tmp/load.NAME. A
# test waits for the load's work, never for a time.
declare -A load_pids

# load_start NAME COMMAND...: starts a load, and returns when it has begun with its work.
load_start()
{
	local name=$1

	shift
	: >"/tmp/load.$name"
	"$@" >"/tmp/load.$name" 2>&1 &
	load_pids[$name]=$!
	load_progress "$name"
}

# load_progress NAME: returns when the load has done more of its work. Fails if the load
# has ended.
load_progress()
{
	local seen

	seen=$(wc -l <"/tmp/load.$1")
	grep -qE -m 1 '^(proof: +[0-9]+ s:|race: round) ' \
		<(exec tail -n +$((seen + 1)) -f --pid="${load_pids[$1]}" "/tmp/load.$1" 2>/dev/null)
}

# load_stop NAME: ends the load, and returns its exit status.
load_stop()
{
	kill -TERM "${load_pids[$1]}" 2>/dev/null
	wait "${load_pids[$1]}"
}

# load_output NAME: what the load has printed, without the lines of its progress.
load_output()
{
	grep -vE '^(proof: +[0-9]+ s:|race: round) ' "/tmp/load.$1"
}

# check_balance BLOCKS: after a test that used tags, all tag storage was given back, but
# for the BLOCKS that held tags before the test.
check_balance()
{
	local blocks_tagged=$1

	# shellcheck disable=SC2317 # called below
	given_back()
	{
		[[ $(attr tag_storage/blocks_tagged) == "$blocks_tagged" ]]
	}
	wait_until "tag blocks are released" given_back
	check_is "every tag block was released, but for those with permanent pages" "$blocks_tagged" \
		"$(attr tag_storage/blocks_tagged)"
	check_loudly "the record of pages agrees with the flags of all pages" audit
	check_is "no object was lost" 0 "$(attr hook/lost)"
}

# check_balance_but_failed PAGES: like check_balance, after a test in which memory has
# failed. A page that has failed stays reserved.
check_balance_but_failed()
{
	local pages_tagged=$1

	# shellcheck disable=SC2317 # called below
	given_back()
	{
		[[ $(($(attr tag_storage/reserved_pages) - failed)) == "$pages_tagged" ]]
	}
	failed=$(awk '/^HardwareCorrupted:/ { print $2 / 4 }' /proc/meminfo)
	note "$failed pages have failed"
	check "all tags are given back, but for pages that have failed" \
		wait_until "tag storage is released" given_back
	check_loudly "the record of pages agrees with the flags of all pages" audit
}

# After swapoff the device holds only the swap header, and after a discard nothing.
check_empty_after_swap()
{
	check_is "no slot leaked" 4096 "$(mm_stat orig_data_size)"
	check "discard the swap header" blkdiscard "$DEV"
	check_empty
}

check_empty()
{
	check_is "nothing is stored" 0 "$(mm_stat orig_data_size)"
	check_is "no compressed data is left" 0 "$(mm_stat compr_data_size)"
	check_is "no tag block is in use" 0 "$(attr tag_storage/blocks_used)"
	check_is "nothing is spilled" 0 "$(attr tag_storage/spilled_size)"
}

# The counters of the hook.
print_hook_counts()
{
	local name

	for name in reserved released evicted evicted_atomic relocated relocated_kept spilled \
		spilled_atomic spilled_emergency settled refused killed not_killed lost; do
		printf '# %-17s %s\n' $name "$(attr hook/$name)"
	done
}
