#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each attribute in sysfs: which values it takes, and which it refuses with which error.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

EINVAL="Invalid argument"
EBUSY="Device or resource busy"
ENOMEM="Cannot allocate memory"
ENOSPC="No space left on device"

load
carveout=$(attr tag_storage/size)
block=$(attr tag_storage/block_size)

# refuses ATTRIBUTE ERROR VALUE...
refuses()
{
	local name=$1 error=$2 value

	shift 2
	for value; do
		check_fails_with "$name refuses '$value': $error" "$error" set_attr "$name" "$value"
	done
}

takes()
{
	check "$1 takes '$2'" set_attr "$1" "$2"
}

is()
{
	check_is "$1 is '$2'" "$2" "$(attr "$1")"
}

fresh()
{
	set_attr reset 1 || bail "reset failed"
}

disksize()
{
	is disksize 0
	is initstate 0
	refuses disksize "$EINVAL" 0 "" x 1x "4M 4M" -
	is initstate 0
	takes disksize 4097
	is disksize 8192
	is initstate 1
	check_is "the block device has this size" 8192 "$(blockdev --getsize64 "$DEV")"
	refuses disksize "$EBUSY" 8192 8191 4096 1
	is disksize 8192
	fresh
	is disksize 0
	is initstate 0
	check_is "the block device has no size after reset" 0 "$(blockdev --getsize64 "$DEV")"
	takes disksize 1M
	is disksize 1048576
	fresh
	takes disksize 1G
	is disksize 1073741824
	fresh
}

# The device grows while it is set up. A size that is refused changes nothing.
growth()
{
	local metadata most kills

	takes disksize 1M
	check "write all of it" slots write "$DEV" --count 256 --content half
	metadata=$(attr tag_storage/metadata_size)
	takes disksize 4M
	is disksize 4194304
	check_is "the block device has this size" 4194304 "$(blockdev --getsize64 "$DEV")"
	# The words of 512 slots take a page and a pointer to that page. Each slot has one bit.
	check_is "metadata grows by a page of slots" $((4096 + 8 + 768 / 8)) \
		$(($(attr tag_storage/metadata_size) - metadata))
	check "what was written is right" slots verify "$DEV" --count 256 --content half
	check "the new slots are empty" slots verify "$DEV" --from 256 --count 768 --content zero
	check "the new slots can be written" slots write "$DEV" --from 256 --count 768 --content half
	check "all slots can be read" slots verify "$DEV" --count 1024 --content half
	refuses disksize "$EBUSY" 4M 1M
	refuses disksize "$EINVAL" 0 x 16T 17592186044416 18446744073709551615
	# The tables would be larger than the memory, and larger than the free memory.
	kills=$(awk '$1 == "oom_kill" { print $2 }' /proc/vmstat)
	most=$(awk '/^MemTotal:/ { printf "%d", $2 * 0.98 / 8 }' /proc/meminfo)
	refuses disksize "$ENOMEM" 15T
	refuses disksize "$ENOMEM" $((most * 1024 * 4096))
	check_is "no process was killed for lack of memory" "$kills" \
		"$(awk '$1 == "oom_kill" { print $2 }' /proc/vmstat)"
	is disksize 4194304
	check "a refused size has changed nothing" slots verify "$DEV" --count 1024 --content half
	fresh
}

comp_algorithm()
{
	local name

	is comp_algorithm "[lz4] zstd lzo-rle "
	refuses comp_algorithm "$EINVAL" "" none lz "lz4 zstd" lz44
	for name in zstd lzo-rle lz4; do
		takes comp_algorithm $name
		check "$name is marked" grep -qF "[$name]" "$SYS/comp_algorithm"
	done
	takes comp_algorithm zstd
	takes disksize 4M
	refuses comp_algorithm "$EBUSY" lz4 zstd
	refuses comp_algorithm "$EINVAL" none
	check "zstd is still marked" grep -qF "[zstd]" "$SYS/comp_algorithm"
	fresh
	check "reset goes back to the default" grep -qF "[lz4]" "$SYS/comp_algorithm"
}

reset()
{
	refuses reset "$EINVAL" 0 x "" 1x
	takes disksize 4M
	exec 9<>"$DEV"
	refuses reset "$EBUSY" 1
	is initstate 1
	exec 9>&-
	check "write" slots write "$DEV" --count 100
	takes reset 1
	check_empty
	takes disksize 4M
	check "what was written is gone" slots verify "$DEV" --count 100 --content zero
	swap_on "$DEV"
	refuses reset "$EBUSY" 1
	swapoff "$DEV"
	takes reset 1
	# As often as one likes, set up or not.
	takes reset 1
	takes reset 1
}

mem_limit()
{
	local written

	check_fails_with "mem_limit cannot be read" "" cat "$SYS/mem_limit"
	refuses mem_limit "$EINVAL" "" x 1x
	takes mem_limit 1M
	check_is "mm_stat shows mem_limit" $((1 << 20)) "$(mm_stat mem_limit)"
	takes disksize "$carveout"
	written=$(slots fill "$DEV" --count $((carveout / 4096)) --content random) ||
		bail "filling the device: $written"
	check_that "the limit holds" "$(mm_stat mem_used_total) <= 1 << 20"
	check_that "the device is filled up to the limit" "$written > 150 && $written <= 256"
	check_that "refused writes are counted under their cause" \
		"$(attr failed_writes/mem_limit) > 0 && $(attr failed_writes/no_space) == 0"
	check "what was written is right" slots verify "$DEV" --count "$written" --content random
	takes mem_limit 0
	check_is "mem_limit 0 is no limit" 0 "$(mm_stat mem_limit)"
	check "more can be written now" slots write "$DEV" --count 1024 --content random
	check_that "mem_used_max has followed" "$(mm_stat mem_used_max) > 1 << 20"
	check "discard" blkdiscard "$DEV"
	check_that "mem_used_max is a maximum" "$(mm_stat mem_used_max) > 1 << 20"
	refuses mem_used_max "$EINVAL" 1 x ""
	takes mem_used_max 0
	check_is "mem_used_max starts anew" 0 "$(mm_stat mem_used_max)"
	fresh
	check_is "reset ends the limit" 0 "$(mm_stat mem_limit)"
	check_is "reset clears the counters" 0 "$(attr failed_writes/mem_limit)"
}

share()
{
	local half=$((carveout / 2)) quarter=$((carveout / 4)) used

	is tag_storage/share "$carveout"
	refuses tag_storage/share "$EINVAL" "" x 1x $((carveout + block)) 1T
	takes tag_storage/share $((half + block - 1))
	is tag_storage/share $half
	takes disksize "$carveout"
	is tag_storage/share $half
	takes tag_storage/share 0
	is tag_storage/share 0
	check "with a share of 0 every write is refused" slots full "$DEV" --count 8 --content random
	takes tag_storage/share "$carveout"

	check "store a quarter" slots write "$DEV" --count $((quarter / 4096)) --content half \
		--step 7
	used=$(($(attr tag_storage/blocks_used) * block))
	refuses tag_storage/share "$ENOSPC" 0 "$block" $((used / 2 / block * block))
	is tag_storage/share "$carveout"
	check "nothing has changed" slots verify "$DEV" --count $((quarter / 4096)) --content half
	# Every second slot is freed. The other objects are scattered, and must be moved together.
	for ((i = 0; i < quarter / 4096; i += 2)); do
		blkdiscard -o $((i * 4096)) -l 4096 "$DEV" || break
	done
	takes tag_storage/share $((used * 3 / 4 / block * block))
	check_that "no more blocks are in use" \
		"$(attr tag_storage/blocks_used) * $block <= $(attr tag_storage/share)"
	check "objects that moved are right" odd_slots $((quarter / 4096))
	takes tag_storage/share "$carveout"
	check "with the whole share again, all of it can be written" slots write "$DEV" \
		--count $((carveout / 4096)) --content half
	check "all of it is right" slots verify "$DEV" --count $((carveout / 4096)) --content half
	fresh
	is tag_storage/share "$carveout"
}

compaction()
{
	local before

	refuses compact "$EINVAL" 1
	takes disksize "$carveout"
	check "store a quarter" slots write "$DEV" --count $((carveout / 4 / 4096)) --content half
	for ((i = 0; i < carveout / 4 / 4096; i += 2)); do
		blkdiscard -o $((i * 4096)) -l 4096 "$DEV" || break
	done
	before=$(attr tag_storage/blocks_used)
	takes compact 1
	# Half of the objects of about half a page are gone.
	check_that "blocks become free" \
		"$(attr tag_storage/blocks_used) < $before * 7 / 10"
	check_is "pages_compacted says how many" \
		$(((before - $(attr tag_storage/blocks_used)) * block / 4096)) \
		"$(mm_stat pages_compacted)"
	check "the slots that are left are right" odd_slots $((carveout / 4 / 4096))
	fresh
}

odd_slots()
{
	local i

	for ((i = 1; i < $1; i += 2)); do
		slots verify "$DEV" --from "$i" --content half || return 1
	done
}

# Spare pages are allocated, are counted, and their number can be set; a bad size changes
# nothing.
spare_size()
{
	local default metadata

	default=$(attr tag_storage/spare_size)
	check_is "2 CPUs: 256 KiB by default" 262144 "$default"
	check_is "while the device is not set up, there are no spare pages" 0 "$(attr tag_storage/spare_available)"
	set_up 16M
	check_is "when the device is set up, all spare pages are there" "$default" "$(attr tag_storage/spare_available)"
	metadata=$(attr tag_storage/metadata_size)
	check "set spare_size to 1 MiB" set_attr tag_storage/spare_size 1M
	check_is "all spare pages are there" 1048576 "$(attr tag_storage/spare_available)"
	check_is "spare pages count as metadata" $((metadata + 1048576 - default)) \
		"$(attr tag_storage/metadata_size)"
	check_fails_with "no size" "Invalid argument" set_attr tag_storage/spare_size x
	check_fails_with "more than the carve-out" "Invalid argument" \
		set_attr tag_storage/spare_size $(($(attr tag_storage/size) + 4096))
	check_is "spare_size is as before" 1048576 "$(attr tag_storage/spare_size)"
	check "set spare_size to 0" set_attr tag_storage/spare_size 0
	check_is "there are no spare pages" 0 "$(attr tag_storage/spare_available)"
	check "reset" set_attr reset 1
	check_is "reset goes back to the default size" "$default" "$(attr tag_storage/spare_size)"
}

# Name and mode of each attribute in Documentation/ABI.
documented()
{
	awk -v RS= 'match($0, /mtetagram<id>\/[a-z_/]+/) {
		name = substr($0, RSTART + 14, RLENGTH - 14)
		mode = match($0, /\((RW|RO|WO)\)/) ? substr($0, RSTART + 1, 2) : "none"
		if ($0 ~ /\(RO, root\)/)
			mode = 400
		print name, mode == "RW" ? 644 : mode == "RO" ? 444 : mode == "WO" ? 200 : mode
	}' /mtetagram/abi/sysfs-block-mtetagram | sort
}

# Name and mode of each attribute in sysfs. An attribute that another disk has as well is
# not ours.
present()
{
	local name

	for name in $(cd "$SYS" && echo ./* ./*/*); do
		name=${name#./}
		[[ ! -f "$SYS/$name" ]] || [[ -e "/sys/block/vda/$name" ]] ||
			echo "$name $(stat -c %a "$SYS/$name")"
	done | sort
}

reads()
{
	attr "$1" >/dev/null
}

attributes()
{
	local name mode

	check_is "no attribute is missing in Documentation/ABI, and its mode is right" "" \
		"$(comm -13 <(documented) <(present))"
	check_is "no attribute in Documentation/ABI is missing in sysfs" "" "$(comm -23 <(documented) <(present))"
	check_that "Documentation/ABI was read" "$(documented | wc -l) > 20"
	while read -r name mode; do
		[[ $mode == 200 ]] || check "$name can be read" reads "$name"
	done < <(documented)
	is tag_storage/state ok
	check_is "mm_stat has 9 numbers" 9 "$(wc -w <"$SYS/mm_stat")"
	check_is "io_stat has 4 numbers" 4 "$(wc -w <"$SYS/io_stat")"
}

geometry()
{
	check_is "blocks fill the tag storage" "$carveout" $(($(attr tag_storage/blocks) * block))
	check_that "untaggable blocks are some, not all" \
		"$(attr tag_storage/blocks_untaggable) > 0 &&
		$(attr tag_storage/blocks_untaggable) < $(attr tag_storage/blocks) / 2"
	check_that "metadata takes less than 1/16 of the carve-out" \
		"$(attr tag_storage/metadata_size) * 16 < $carveout"
}

set_attr reset 1
attributes
geometry
disksize
growth
comp_algorithm
reset
mem_limit
share
compaction
spare_size
finish
