#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The longest time for which the hook keeps a processor: while page-table locks are held,
# with preemption off. Tags take blocks that are full of objects; the driver's tracepoints
# say how long each block took. The test prints a table, and has no limit to exceed. Figures
# repeat with one processor and --icount, where a nanosecond is an instruction.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

tracing=/sys/kernel/tracing
trace=/tmp/trace
pages=$((8 * 512))

# record EVENT...: records these events and no others from now on.
record()
{
	local event

	echo 0 >$tracing/events/mtetagram/enable
	for event; do
		echo 1 >"$tracing/events/mtetagram/mtetagram_$event/enable"
	done
	echo >$tracing/trace
}

# Count, median, 99th percentile and largest of the numbers on stdin.
summary()
{
	sort -n | awk -v what="$1" '{ v[NR] = $1 }
		END { printf "# %-44s %6d %9d %9d %9d\n", what, NR, v[int((NR + 1) / 2)],
			v[int(NR * 99 / 100) + (NR * 99 % 100 > 0)], v[NR] }'
}

# Nanoseconds and block of each event.
times_of()
{
	sed -nE "s/.* ([0-9]+)\.([0-9]+): mtetagram_($1): .*block=([0-9]+).*/\1\2 \4/p" $trace |
		awk '{ printf "%d %d\n", $1 * 1000, $2 }'
}

# spans EVENT: the time from the first to the last event of the blocks of one huge page.
spans()
{
	times_of "$1" | awk -v per_huge="$per_huge" '
		{ huge = int($2 / per_huge) }
		huge != last { if (NR > 1) print end - start; start = $1; last = huge }
		{ end = $1 }
		END { if (NR) print end - start }'
}

# tag HOW EVENT...: tags memory while these events are recorded. Leaves the trace of that
# in $trace, and the trace of giving the memory back in $trace.free.
tag()
{
	local how=$1 pid line

	shift
	record
	coproc burst_of { exec burst "$how" $pages; }
	pid=$!
	read -r line <&"${burst_of[0]}" || bail "burst $how failed"
	record "$@"
	echo >&"${burst_of[1]}"
	read -r line <&"${burst_of[0]}" || bail "burst $how was killed"
	cp $tracing/trace $trace
	record "$@"
	echo >&"${burst_of[1]}"
	read -r line <&"${burst_of[0]}"
	cp $tracing/trace $trace.free
	record
	note "$line" >/dev/null
	echo >&"${burst_of[1]}"
	wait $pid
}

fill()
{
	set_up $((carveout * 8))
	slots fill "$DEV" --content "$1" --count $((carveout * 8 / 4096)) >/dev/null
	note "carve-out full of objects: $1"
}

load
carveout=$(attr tag_storage/size)
block_size=$(attr tag_storage/block_size)
# Tag blocks of one huge page.
per_huge=$(((2 << 20) / 32 / block_size))
((per_huge)) || per_huge=1
echo 16384 >$tracing/buffer_size_kb
echo local >$tracing/trace_clock
note "blocks of $block_size bytes"
note "$(printf '%-44s %6s %9s %9s %9s' 'nanoseconds' number median '99 %' worst)"
for content in half quarter; do
	fill $content
	for how in mprotect huge-mprotect fault huge-fault; do
		tag $how evict release
		check_that "$how: blocks with data were taken" "$(times_of evict | wc -l) > 0"
		sed -nE 's/.* mtetagram_evict: .* ns=([0-9]+).*/\1/p' $trace |
			summary "$how: empty a block"
		spans evict | summary "$how: all blocks of a huge page"
		cp $trace.free $trace
		spans release | summary "$how: release the blocks of a huge page"
	done
	# The time of one object is that of the search for its new place and of the copy.
	tag huge-mprotect relocate spill
	times_of 'relocate|spill' | awk '$2 == last { print $1 - before }
		{ before = $1; last = $2 }' | summary "move one object"
	note "$(attr hook/relocated) moved, $(attr hook/spilled) spilled"
done
check_is "nothing is lost" 0 "$(attr hook/lost)"
check "reset" set_attr reset 1
finish
