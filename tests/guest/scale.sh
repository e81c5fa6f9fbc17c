#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each function of the driver that walks through tag storage or slots, at the size of a
# machine of 1 TiB: 32 GiB of tag storage, 8 million tag blocks, a device of 25 million slots.
# Each step is done twice. The first pass measures the time of the step. In the second pass
# a task of the highest priority measures for how long the step kept the processor. No step may
# keep the processor for more than MAX_OFF. A step that any user can start may not take more
# than MAX_ANYBODY.
#
# Needs one processor and --icount (a nanosecond is an instruction), and two machines. The
# large machine has more memory than the host: --mem 1T --sparse --append "mem=2G
# initcall_debug". Linux has struct pages for 2 GiB then, while the device tree describes
# 1 TiB. On the small machine (--mem 1G) all tag storage is filled, so that objects spill and
# settle, and the table of slots is as long.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

MAX_OFF=100		# microseconds
MAX_ANYBODY=1000
MAX_OBJECT=50		# for each object that settles
MAX_BOOT=500000
PERIOD=20		# of the task of the highest priority

tracing=/sys/kernel/tracing
order=()
declare -A took kept returned

# The longest time since the last call for which the processor was kept.
longest()
{
	local us

	echo >&"$to_wakeup"
	read -r us <&"$from_wakeup" || bail "wakeup has ended"
	echo $((us + PERIOD))
}

begin()
{
	[[ $pass == time ]] || longest >/dev/null
	started=$((10#${EPOCHREALTIME/./}))
}

# end STEP
end()
{
	if [[ $pass == time ]]; then
		took[$1]=$((10#${EPOCHREALTIME/./} - started))
		order+=("$1")
	else
		kept[$1]=$(longest)
	fi
}

# measure STEP COMMAND...
measure()
{
	local step=$1

	shift
	begin
	"$@" || bail "$step failed"
	end "$step"
}

# The attributes that any user may read, without those that another disk has as well.
readable()
{
	local name

	for name in $(cd "$SYS" && echo ./* ./*/*); do
		name=${name#./}
		[[ ! -f "$SYS/$name" ]] || [[ -e "/sys/block/vda/$name" ]] ||
			((!(0$(stat -c %a "$SYS/$name") & 4))) || echo "$name"
	done
}

# The user nobody reads these attributes: their names, and the microseconds of each.
read_as_nobody()
{
	# shellcheck disable=SC2016 # for the other shell
	(cd "$SYS" && setpriv --reuid 65534 --regid 65534 --clear-groups bash -c '
		for name; do
			start=$((10#${EPOCHREALTIME/./}))
			mapfile <"$name" || exit 1
			echo "$name $((10#${EPOCHREALTIME/./} - start))"
		done' bash "$@")
}

read_attributes()
{
	local names

	mapfile -t names < <(readable)
	read_as_nobody "${names[@]}" >"/tmp/attributes-$pass"
}

# Slots in eight places of the device, in an order that leaves holes where neighbours are
# discarded.
write_slots()
{
	local i

	for ((i = 0; i < 8; i++)); do
		slots write "$DEV" --content half --step 1009 --from $((i * 3145728)) \
			--count $((slots / 8)) || return 1
	done
}

discard_slots()
{
	local i

	for ((i = 0; i < 8; i++)); do
		blkdiscard -o $((i * 3145728 * 4096)) -l $((slots * 256)) "$DEV" || return 1
	done
}

# The microseconds in which the worker runs, without the time before it starts.
time_of_settle()
{
	awk '/workqueue_execute_(start|end): .* function settle/ {
			us = $0
			sub(/: workqueue_execute.*/, "", us)
			sub(/.* /, "", us)
			us *= 1000000
			if (/_start:/)
				start = us
			else
				sum += us - start
		}
		END { printf "%d\n", sum }' "$tracing/trace"
}

# The worker runs while this test has nothing to do. A process of the lowest priority sees
# when nothing is spilled any more.
wait_for_settle()
{
	# shellcheck disable=SC2016 # for the other shell
	chrt --idle 0 bash -c '
		while read -r size <"$1" && [[ $size != 0 ]]; do :; done' \
		bash "$SYS/tag_storage/spilled_size"
}

# spill_and_settle STEP: objects for which there was no other place settle when their blocks
# are free again.
spill_and_settle()
{
	local step=$1 line before

	coproc burst_of { exec burst release "$pages"; }
	read -r line <&"${burst_of[0]}" || bail "burst was killed"
	before=$(attr hook/settled)
	check_that "$pass: objects are spilled" "$(attr tag_storage/spilled_size) > 0"
	echo 1 >"$tracing/events/workqueue/enable"
	echo >"$tracing/trace"
	begin
	echo >&"${burst_of[1]}"
	echo >&"${burst_of[1]}"
	# shellcheck disable=SC2154 # of coproc
	wait "$burst_of_PID"
	wait_for_settle
	end "$step"
	echo 0 >"$tracing/events/workqueue/enable"
	returned[$step]=$(($(attr hook/settled) - before))
	[[ $pass != time ]] || took[$step]=$(time_of_settle)
	note "$step: ${returned[$step]} objects have settled"
}

all_steps_of_a_large_machine()
{
	measure "set up 96 GiB" set_attr disksize 96G
	measure "grow to 128 GiB" set_attr disksize 128G
	measure "store" write_slots
	measure "read attributes" read_attributes
	measure "reserved in debugfs" dd if="$DEBUGFS/reserved" of=/dev/null bs=64k status=none
	measure "block_map" dd if="$SYS/tag_storage/block_map" of=/dev/null bs=64k status=none
	measure "discard a half" discard_slots
	measure "share, less" set_attr tag_storage/share \
		$(($(attr tag_storage/blocks_used) * $(attr tag_storage/block_size) * 15 / 16))
	measure "share, all" set_attr tag_storage/share "$carveout"
	measure "compact" set_attr compact 1
	measure "reset" set_attr reset 1
}

all_steps_of_a_small_machine()
{
	measure "set up 96 GiB" set_attr disksize 96G
	slots fill "$DEV" --content half --count $((carveout * 8 / 4096)) >/dev/null
	spill_and_settle settle
	# The objects that are spilled now may lie behind the place where the last search ended.
	spill_and_settle "settle again"
	measure "reset" set_attr reset 1
}

boot_time()
{
	dmesg | sed -nE 's/.*initcall mtetagram_regions_init\+.* after ([0-9]+) usecs.*/\1/p'
}

print_table()
{
	local step

	note "microseconds of counted time, and for how long the processor was kept"
	[[ $machine == small ]] || note "$(printf '%-20s %9d' boot "$(boot_time)")"
	for step in "${order[@]}"; do
		note "$(printf '%-20s %9d %6d' "$step" "${took[$step]}" "${kept[$step]}")"
	done
}

load
carveout=$(attr tag_storage/size)
set_attr reset 1
if ((carveout < 32 << 30)); then
	machine=small
	# Under one lock, 16 blocks may be evicted for each processor: this is 8 times as many.
	pages=$((128 * 32))
else
	machine=large
	# As many slots as fill all tag blocks of the memory that Linux knows.
	slots=$(awk '/^MemTotal:/ { printf "%d", $2 / 64 / 16; exit }' /proc/meminfo)
	slots=$((slots * 16))
	note "$(attr tag_storage/blocks) tag blocks, $slots slots are written"
fi
# While the host reads a block of its disk, counted time leaps from timer to timer.
for program in blkdiscard burst chrt dd setpriv slots stat wakeup; do
	cat "$(command -v $program)" >/dev/null
done
# When a process allocates or frees much memory, the page allocator moves 2,000 pages at a
# time with interrupts off (CONFIG_PCP_BATCH_SCALE_MAX), for 0.3 ms. With this setting the
# page allocator moves fewer at a time.
echo 100000 >/proc/sys/vm/percpu_pagelist_high_fraction
pass="time"
all_steps_of_a_${machine}_machine
pass=kept
mkfifo /tmp/to-wakeup /tmp/from-wakeup
wakeup $PERIOD </tmp/to-wakeup >/tmp/from-wakeup &
exec {to_wakeup}>/tmp/to-wakeup {from_wakeup}</tmp/from-wakeup
read -r line <&"$from_wakeup"
[[ $line == ready ]] || bail "wakeup does not work"
all_steps_of_a_${machine}_machine
print_table

if [[ $machine == large ]]; then
	check_that "boot: the regions take at most $MAX_BOOT us" "$(boot_time) <= $MAX_BOOT"
	while read -r name us; do
		check_that "a user who reads $name: at most $MAX_ANYBODY us" "$us <= $MAX_ANYBODY"
	done </tmp/attributes-time
else
	for step in settle "settle again"; do
		check_that "$step: at most $MAX_ANYBODY us, and $MAX_OBJECT more for each object" \
			"${took[$step]} <= $MAX_ANYBODY + $MAX_OBJECT * ${returned[$step]}"
	done
fi
for step in "${order[@]}"; do
	check_that "$step: keeps the processor for at most $MAX_OFF us" \
		"${kept[$step]} <= $MAX_OFF"
done
check_is "nothing is lost" 0 "$(attr hook/lost)"
finish
