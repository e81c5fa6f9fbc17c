#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's tracers measure the longest times with interrupts off and with preemption off
# while the driver and the hook work: with a full device, and without a device. The test
# prints a table, and has no limit to exceed. Needs the kernel kvm, one processor and
# --icount, where a nanosecond is an instruction.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

tracing=/sys/kernel/tracing
pages=4096
declare -A longest where

# measure PATH COMMAND...
measure()
{
	local key=$state.$tracer.$1

	shift
	echo 0 >$tracing/tracing_on
	echo "$tracer" >$tracing/current_tracer
	echo 0 >$tracing/tracing_max_latency
	echo 1 >$tracing/tracing_on
	"$@"
	echo 0 >$tracing/tracing_on
	longest[$key]=$(<$tracing/tracing_max_latency)
	where[$key]=$(sed -nE 's/^# *=> (started|ended) at: *//p' $tracing/trace | paste -sd' ')
	echo nop >$tracing/current_tracer
}

# The next step of burst.
step()
{
	echo >&"${burst_of[1]}"
	read -r line <&"${burst_of[0]}" || bail "burst was killed"
}

burst()
{
	local how=$1 line

	# shellcheck disable=SC2086 # two arguments
	coproc burst_of { exec burst $how; }
	while read -r line <&"${burst_of[0]}" && [[ $line != ready ]]; do
		[[ "$state.$tracer" != full.preemptoff ]] || note "$how: $line"
	done
	measure "${how%% *}" step
	measure "${how%% *}, release" step
	echo >&"${burst_of[1]}"
	# shellcheck disable=SC2154 # of coproc
	wait "$burst_of_PID"
}

settled()
{
	[[ $(attr tag_storage/spilled_size) == 0 ]]
}

measure_all()
{
	local how

	for how in "mprotect $pages" "fault $pages" "huge-mprotect $pages" "huge-fault $pages" \
		"scattered-mprotect $scattered $stride"; do
		burst "$how"
		[[ $state == none ]] || wait_until "spilled objects settle" settled
	done
}

rows=(mprotect fault huge-mprotect huge-fault scattered-mprotect)
load
carveout=$(attr tag_storage/size)
# How many data pages a tag block has: the tags of a page take 128 bytes.
stride=$(($(attr tag_storage/block_size) / 128))
# The number of pages in a page table, or of tag blocks in half of the memory if that is less.
scattered=$(awk -v stride=$stride '/^MemAvailable:/ { n = int($2 / 8 / stride)
	print n < 512 ? n : 512 }' /proc/meminfo)
grep -q irqsoff $tracing/available_tracers || skip_all "no tracers"
for tracer in irqsoff preemptoff; do
	state=none
	set_attr reset 1
	measure_all
	state=full
	set_up $((carveout * 8))
	measure "store until full" slots fill "$DEV" --content quarter \
		--count $((carveout * 8 / 4096)) >/dev/null
	measure_all
	measure "load" slots verify "$DEV" --content quarter --count 1000
	blkdiscard "$DEV"
	# The slots are written in an order in which discarded neighbours leave holes.
	slots write "$DEV" --content quarter --step 1009 --count $((carveout * 2 / 4096)) ||
		bail "not all could be written"
	measure "discard a half" blkdiscard -l "$carveout" "$DEV"
	moved=$(attr hook/relocated)
	measure "resize, less" set_attr tag_storage/share \
		$(($(attr tag_storage/blocks_used) * $(attr tag_storage/block_size) * 15 / 16))
	note "$(($(attr hook/relocated) - moved)) objects moved to resize"
	measure "resize, all" set_attr tag_storage/share "$carveout"
	blkdiscard -l $((carveout * 3 / 2)) "$DEV"
	moved=$(attr hook/relocated)
	measure "compact" set_attr compact 1
	note "$(($(attr hook/relocated) - moved)) objects moved to compact"
	measure "reset" set_attr reset 1
done

note "microseconds with interrupts off and with preemption off, without a device and full"
note "$(printf '%-28s %6s %6s %6s %6s  %s' way irqs full preem full 'where, full')"
for way in "${rows[@]}"; do
	for row in "$way" "$way, release"; do
		note "$(printf '%-28s %6s %6s %6s %6s  %s | %s' "$row" \
			"${longest[none.irqsoff.$row]}" "${longest[full.irqsoff.$row]}" \
			"${longest[none.preemptoff.$row]}" "${longest[full.preemptoff.$row]}" \
			"${where[full.irqsoff.$row]}" "${where[full.preemptoff.$row]}")"
	done
done
for row in "store until full" load "discard a half" "resize, less" "resize, all" \
	compact reset; do
	note "$(printf '%-28s %6s %6s %6s %6s  %s | %s' "$row" - \
		"${longest[full.irqsoff.$row]}" - "${longest[full.preemptoff.$row]}" \
		"${where[full.irqsoff.$row]}" "${where[full.preemptoff.$row]}")"
done
check_that "the tracers have seen mprotect" "${longest[full.preemptoff.mprotect]} > 0"
finish
