#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# All processors want the same tag blocks at once: while slots are written, read and
# discarded; while the share of the carve-out changes; while swap is switched off and on;
# while the module is loaded and removed with data in it. Every byte and every tag is
# verified. The argument says how many times as long as usual the test is.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

times=${1:-1}
cpus=$(nproc)

# number NAME: a counter of the last race.
number()
{
	sed -nE "s/^race: $1 +([0-9]+)$/\1/p" /tmp/load.race
}

# end_race DESCRIPTION: ends the load "race", which must have been right; prints what race
# has done.
end_race()
{
	load_stop race
	check_is "$1" 0 $? || load_output race | grep -v ' [0-9]*$'
	note "$(load_output race | sed -n 's/^race: *//p' | tr -s ' ' | paste -sd,)"
}

# resize_during ROUNDS LOAD...: sets the share to half of the carve-out, to all of it, and
# to half of the used blocks; after each round waits until the loads have done more work.
resize_during()
{
	local rounds=$1 size load round done=0 refused=0

	shift
	for ((round = 0; round < rounds; round++)); do
		for size in $((carveout / 2)) "$carveout" \
			$(($(attr tag_storage/blocks_used) * 2048)) "$carveout"; do
			if set_attr tag_storage/share "$size" 2>/dev/null; then
				done=$((done + 1))
			else
				refused=$((refused + 1))
			fi
		done
		for load; do
			load_progress "$load" || { note "$load has ended"; return 1; }
		done
	done
	set_attr tag_storage/share "$carveout"
	note "$done times resized, $refused times refused"
	((done >= 4))
}

# How many times several processors have reserved pages of a block before the block was
# released: from the events of each block, in the order of time.
shared_blocks()
{
	sed -nE 's/.*\[0*([0-9]+)\].* mtetagram_(reserve|release): .*block=([0-9]+).*/\1 \2 \3/p' \
		/sys/kernel/tracing/trace | awk '
		$2 == "release" { delete cpu[$3]; delete met[$3]; next }
		$3 in cpu && cpu[$3] != $1 && !($3 in met) { n++; met[$3] = 1 }
		{ cpu[$3] = $1 }
		END { print n + 0 }'
}

[[ ! -e /sys/kernel/debug/kcsan ]] || echo on >/sys/kernel/debug/kcsan
load
carveout=$(attr tag_storage/size)
static=$(attr tag_storage/blocks_tagged)

note "stores, loads and discards, and resizing"
set_up $((carveout * 4))
load_start race race --taggers "$cpus" --io "$cpus" --device "$DEV" \
	--slots $((carveout * 2 / 4096 / cpus)) --endless
check_loudly "resize meanwhile" resize_during $((times * 16)) race
end_race "every byte and every tag is right"
note "$(attr hook/evicted) blocks evicted, $(attr hook/relocated) objects moved, $(attr hook/spilled) spilled"
check_that "blocks with data were taken for tags" "$(attr hook/evicted) > 20"
check_that "objects moved" "$(attr hook/relocated) > 20"
check_that "some stores were refused: the device was full" "$(number refused) > 0"

echo 1 >/sys/kernel/tracing/events/mtetagram/enable
check "tagging, traced" race --taggers "$cpus" --rounds 6
echo 0 >/sys/kernel/tracing/events/mtetagram/enable
shared=$(shared_blocks)
note "$shared times processors shared a tag block"
check_that "tag blocks were shared by processors" "$shared > 10"
check "discard" blkdiscard "$DEV"
check_empty
check_balance "$static"

note "the module is loaded and removed"
load_start race race --taggers "$cpus" --endless
rmmod mtetagram
evicted=0
for ((i = 0; i < 3 * times; i++)); do
	set_up $((carveout * 4))
	check "I/O between two removals" race --io 2 --device "$DEV" --slots $((carveout / 4096))
	check "tagging goes on" load_progress race
	evicted=$((evicted + $(attr hook/evicted)))
	check_that "the device holds data" "$(attr tag_storage/blocks_used) > 0"
	check "the module is removed with data in it" rmmod mtetagram
done
end_race "every tag was right"
note "$evicted blocks evicted"
check_that "tags took blocks with data" "$evicted > 0"

note "swap on and off"
set_up $((carveout * 8))
swap_on "$DEV"
load_start race race --taggers "$cpus" --endless
load_start proof proof --procs 2 --mem 24M --tagged-percent 30 --active-percent 50 --endless \
	--cycle-swap "$DEV"
check_loudly "resize, and the loads go on" resize_during $((times * 2)) race proof
load_stop proof
check_is "memory in swap is right" 0 $?
load_output proof
end_race "all tags of race are right"
check "swapoff" swapoff "$DEV"
check_empty_after_swap
check_balance "$static"
check "reset" set_attr reset 1
finish
