#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Leaves out steps of the change of tag blocks between data and tags, while slots are
# stored and memory is tagged on all processors. Not a test by itself: the scenarios
# cache-* of tests/qemu/harness-test run it on a machine with caches, and expect that the
# machine model reports what was left out.
# Arguments: steps, as in enum mtg_step without MTG_STEP_.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

steps=(EVICT EVICT_FIRST CLEAN_DATA CLEAN_FREE CLEAN_LAST CLEAN_TAGS CLEAN_HALF TAGS_FIRST
	KEXEC)

# bit_of STEP: its bit in the file leave_out.
bit_of()
{
	local i

	for i in "${!steps[@]}"; do
		[[ ${steps[i]} != "$1" ]] || { echo $((1 << i)); return; }
	done
	bail "no such step: $1"
}

load
set_up $(($(attr tag_storage/size) * 8))
bits=0
for step; do
	bits=$((bits | $(bit_of "$step")))
done
echo $bits >"$DEBUGFS/leave_out" || bail "cannot leave out steps"
race --taggers "$(nproc)" --io "$(nproc)" --device "$DEV" --slots 2000 --rounds 40
note "status of race: $?"
echo 0 >"$DEBUGFS/leave_out"
check_that "blocks with data were taken for tags" "$(attr hook/evicted) > 0"
finish
