#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tags force objects of a full device out into ordinary memory. That memory is charged to
# the memory cgroup of the process whose memory is tagged, until the objects settle.
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

# hold_tags HOW: holds tagged memory in the group. Leaves in $spilled and $charged how many
# bytes are spilled and charged meanwhile.
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

# With an empty device the group pays for page tables and the like.
set_up $((carveout * 2))
for how in new mprotect; do
	hold_tags $how
	check_is "$how: with an empty device nothing is spilled" 0 "$spilled"
	plain=$charged
	count=$(slots fill "$DEV" --count $((carveout / 2048)) --content random)
	hold_tags $how
	check_that "$how: with a full device much is spilled" "$spilled > 16 * $(attr tag_storage/spare_size)"
	check_that "$how: the group pays for spilled objects, but for the spare pages" \
		"$charged - $plain >= $spilled - $(attr tag_storage/spare_size)"
	check "$how: all objects settle" wait_until "nothing is spilled" settled
	check_that "$how: the group pays no longer, but for the spare pages" \
		"$(charged) <= 2 * $(attr tag_storage/spare_size)"
	check "$how: what is stored is right" slots verify "$DEV" --count "$count" --content random
	check "$how: discard" blkdiscard "$DEV"
done
check "the group is empty" rmdir $group
finish
