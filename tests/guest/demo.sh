#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The short form of the proof, for watching: the kernel swaps to tag storage while tagged
# memory moves all over the machine, and everything is verified.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

load
static=$(attr tag_storage/blocks_tagged)
# The device is far larger than the tag storage: most pages that the proof swaps are filled
# with one pattern.
mtetagramctl setup --swap --size 800% || bail "mtetagramctl setup failed"
note "before"
mtetagramctl status || bail "mtetagramctl status failed"

run_proof()
{
	local line lines=0

	proof --operations "$(by_flavour 50 20)" | while read -r line; do
		echo "$line"
		[[ $line == *" s: "* ]] || continue
		lines=$((lines + 1))
		[[ $lines != 3 ]] || mtetagramctl status
	done
}
check_loudly "every byte and every tag was right" run_proof
note "after"
check_loudly "status" mtetagramctl status
check_loudly "the record of pages agrees with the flags of all pages" audit
check "swapoff" swapoff "$DEV"
check_empty_after_swap
check_balance "$static"
print_hook_counts
finish
