#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What tags drive out of a full device into ordinary memory is charged to the memory
# cgroup of the process that has memory tagged, until it goes home.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

group=/sys/fs/cgroup/tagger

# Bytes of kernel memory that are charged to the group.
charged()
{
	awk '$1 == "kernel" { print $2 }' $group/memory.stat
}

settled()
{
	[[ $(attr tag_storage/spilled_size) == 0 ]] &&
		[[ $(attr tag_storage/spare_available) == "$(attr tag_storage/spare_size)" ]]
}

# hold_tags HOW: in the group; what is charged and spilled then is left in variables.
hold_tags()
{
	local how=$1 answer holder

	# shellcheck disable=SC2016 # for the shell in the group
	coproc holder_of { exec bash -c 'echo $$ >"$1/cgroup.procs" && exec hold "$2" "$3"' \
		hold "$group" $((carveout * 16)) "$how"; }
	holder=$!
	read -r answer <&"${holder_of[0]}"
	check_is "$how: memory is tagged" ready "$answer"
	spilled=$(attr tag_storage/spilled_size)
	charged=$(charged)
	note "$how: $spilled bytes are spilled, $charged bytes of kernel memory charged"
	eval "exec ${holder_of[1]}>&-"
	wait "$holder"
	check_is "$how: all tags and bytes are right" 0 $?
}

load
carveout=$(attr tag_storage/size)
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir $group || bail "no memory cgroup"

# Page tables and the like, which it pays for anyway.
set_up $((carveout * 2))
for how in new mprotect; do
	hold_tags $how
	check_is "$how: with an empty device nothing is spilled" 0 "$spilled"
	plain=$charged
	count=$(slots fill "$DEV" --count $((carveout / 2048)) --content random)
	hold_tags $how
	check_that "$how: with a full one much is" "$spilled > 16 * $(attr tag_storage/spare_size)"
	check_that "$how: the group pays for it, but for the reserve" \
		"$charged - $plain >= $spilled - $(attr tag_storage/spare_size)"
	check "$how: all of it goes home" wait_until "nothing is spilled" settled
	check_that "$how: and is paid for no longer, but for the reserve" \
		"$(charged) <= 2 * $(attr tag_storage/spare_size)"
	check "$how: what is stored is right" slots verify "$DEV" --count "$count" --content random
	check "$how: discard" blkdiscard "$DEV"
done
check "the group is empty" rmdir $group
finish
