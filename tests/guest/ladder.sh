#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The device is full, and more tags are wanted than other blocks have room for its objects.
# Objects spill to ordinary memory, nothing is lost, and all objects settle when the tags
# are gone. Nearly all tag blocks are made ready where the kernel can wait: for memory that
# is mapped with PROT_MTE when a page is allocated, for populated memory in mprotect(),
# and for shared memory when a page is mapped.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The size of tagged memory whose tags take half of the tag storage.
tagged()
{
	echo $(($(attr tag_storage/size) * 32 / 2))
}

settled()
{
	[[ $(attr tag_storage/spilled_size) == 0 ]] &&
		[[ $(attr tag_storage/spare_available) == "$(attr tag_storage/spare_size)" ]]
}

# hold_tags HOW: leaves in $evicted how many blocks were evicted, and in $atomic how many of
# these under locks.
hold_tags()
{
	local how=$1 answer holder

	evicted=$(attr hook/evicted)
	atomic=$(attr hook/evicted_atomic)
	coproc holder_of { exec hold "$(tagged)" "$how"; }
	holder=$!
	read -r answer <&"${holder_of[0]}"
	check_is "$how: memory is tagged" ready "$answer"
	evicted=$(($(attr hook/evicted) - evicted))
	atomic=$(($(attr hook/evicted_atomic) - atomic))
	note "$how: $evicted blocks evicted, $atomic under locks"
	check_that "$how: data was spilled" "$(attr tag_storage/spilled_size) > 0"
	check "$how: what was stored is right" slots verify "$DEV" --count "$count"
	eval "exec ${holder_of[1]}>&-"
	wait "$holder"
	check_is "$how: all tags and bytes are right" 0 $?
	check "$how: all spilled objects settle" wait_until "nothing is spilled" settled
	check "$how: all data is right afterwards" slots verify "$DEV" --count "$count"
	check_is "$how: as many objects settled as were spilled" "$(attr hook/spilled)" \
		"$(attr hook/settled)"
}

# Memory of the tag storage fails: the data in the block moves elsewhere, and no more data
# goes there. Tags still do.
offline()
{
	local base block i

	base=$((0x$(od -An -tx1 -N8 /proc/device-tree/reserved-memory/tag-storage@*/reg |
		tr -d ' \n')))
	block=$(attr tag_storage/block_size)
	check_fails_with "offline: before the tag storage" "No such device or address" \
		set_attr tag_storage/offline_page $((base - 1))
	for i in 40 50 60 70; do
		check "offline: block $i" set_attr tag_storage/offline_page $((base + i * block + 99))
	done
	check_is "offline: four blocks" 4 "$(attr tag_storage/blocks_offline)"
	check "offline: what was stored is right" slots verify "$DEV" --count "$count"
	# The device was full, and has four blocks less: as much data is discarded. A slot
	# takes at least an eighth of a block here, or the device would hold more slots.
	count=$((count - 4 * 8))
	check "offline: discard what has no place any more" \
		blkdiscard --offset $((count * 4096)) --length $((4 * 8 * 4096)) "$DEV"
}

# limited HOW FILE ALL: spilled objects that a limit keeps out of tag storage settle when the
# limit is raised, though nothing is freed then.
limited()
{
	local how=$1 file=$2 answer holder

	coproc holder_of { exec hold "$(tagged)" new; }
	holder=$!
	read -r answer <&"${holder_of[0]}"
	check_is "$how: memory is tagged" ready "$answer"
	check "$how: limited to what is in use" set_attr "$file" \
		$(($(attr tag_storage/blocks_used) * $(attr tag_storage/block_size)))
	eval "exec ${holder_of[1]}>&-"
	wait "$holder"
	wait_until "the tags are gone" tags_are_gone
	check_that "$how: the limit keeps objects in ordinary memory" \
		"$(attr tag_storage/spilled_size) > 0"
	check "$how: the limit is raised" set_attr "$file" "$3"
	check "$how: all spilled objects settle" wait_until "nothing is spilled" settled
}

tags_are_gone()
{
	[[ $(attr tag_storage/blocks_tagged) == "$static" ]]
}

# All pages of a page table are tagged under its lock, and no two of these pages have one
# tag block. The blocks are evicted before the lock is taken; so the spare pages suffice.
scattered()
{
	local line blocks pages

	evicted=$(attr hook/evicted)
	atomic=$(attr hook/evicted_atomic) pages=$(attr hook/spilled_atomic)
	coproc burst_of { exec burst scattered-mprotect 512 $(($(attr tag_storage/block_size) / 128)); }
	while read -r line <&"${burst_of[0]}" && [[ $line != ready ]]; do
		blocks=$line
	done
	echo >&"${burst_of[1]}"
	read -r line <&"${burst_of[0]}"
	check_is "scattered: memory is tagged" ready "$line"
	evicted=$(($(attr hook/evicted) - evicted))
	atomic=$(($(attr hook/evicted_atomic) - atomic))
	note "scattered: $blocks, $evicted evicted, $atomic under locks, $(attr tag_storage/spilled_size) bytes spilled"
	blocks=${blocks#* pages in }
	check_that "scattered: nearly each block had to be evicted" "$evicted >= ${blocks% blocks} * 3 / 4"
	check_that "scattered: nearly none was evicted under locks" "$atomic * 50 < $evicted"
	check_is "scattered: the spare pages suffice" "$pages" "$(attr hook/spilled_atomic)"
	check "scattered: what was stored is right" slots verify "$DEV" --count "$count"
	printf '\n\n' >&"${burst_of[1]}"
	# shellcheck disable=SC2154 # of coproc
	wait "$burst_of_PID"
	check "scattered: all spilled objects settle" wait_until "nothing is spilled" settled
}

load
static=$(attr tag_storage/blocks_tagged)
set_up $(($(attr tag_storage/size) * 8))
count=$(slots fill "$DEV" --count $(($(attr tag_storage/size) * 8 / 4096)))
note "$count slots fill the device"
check_that "the device is full" "$(attr failed_writes/no_space) > 0"

hold_tags new
check_that "new: nearly all was prepared" "$evicted > 100 && $atomic * 50 < $evicted"
offline
hold_tags mprotect
check_that "mprotect: nearly all was prepared" "$evicted > 100 && $atomic * 50 < $evicted"
hold_tags shared
check_that "shared: nearly all was prepared" "$evicted > 100 && $atomic * 50 < $evicted"

# Without a stock of spare pages, each spare page is allocated when it is needed.
reserve=$(attr tag_storage/spare_size)
set_attr tag_storage/spare_size 0
for how in new mprotect shared; do
	hold_tags $how
	check_that "$how, no stock of spare pages: nearly all was prepared" "$atomic * 50 < $evicted"
done
set_attr tag_storage/spare_size "$reserve"

limited share tag_storage/share "$(attr tag_storage/size)"
limited mem_limit mem_limit 0
scattered
check_is "the emergency reserves were not touched" 0 "$(attr hook/spilled_emergency)"
check_is "no page was allocated atomically" 0 "$(attr hook/spilled_atomic)"

check_is "blocks stay offline" 4 "$(attr tag_storage/blocks_offline)"

print_hook_counts
for rung in refused killed; do
	check_is "$rung" 0 "$(attr hook/$rung)"
done
check "discard" blkdiscard "$DEV"
check_empty
check_balance "$static"
finish
