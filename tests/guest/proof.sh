#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The proof: the kernel swaps to tag storage while tagged memory moves all over the machine,
# and every byte and every tag is verified. Then everything is freed, and all blocks must be
# free. There are three phases:
#   past RAM     the processes use more memory than the machine has; the kernel chooses what
#                is swapped
#   full device  the tag storage is full of objects; nearly every tagged page takes a block
#                that holds some
#   swapoff      swapoff brings all pages back, again and again, meanwhile
# Arguments go to all three phases, for example --seed N.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

out=/tmp/proof.out
: >$out

# sum_of NAME: the sum of that number over all phases.
sum_of()
{
	sed -nE "s/^proof: .*\<$1 ([0-9]+).*/\1/p" $out | awk '{ n += $1 } END { print n + 0 }'
}

phase()
{
	local what=$1 moved

	shift
	moved=$(attr hook/relocated)
	run_proof()
	{
		proof "$@" | tee -a "$out"
	}
	note "$what"
	check_loudly "$what: every byte and every tag was right" run_proof "$@"
	note "$what: $(($(attr hook/relocated) - moved)) objects moved"
}

load
static=$(attr tag_storage/blocks_tagged)
carveout=$(attr tag_storage/size)
check_loudly "the record of pages agrees with the flags before" audit
set_up $((carveout * 8))
swap_on "$DEV"

phase "past RAM" --operations "$(by_flavour 60 20)" "$@"
phase "full device" --procs 2 --mem $((carveout * 3 / 2)) --swap-bulk \
	--ballast "$(ballast)" --tagged-percent 12 --active-percent 4 \
	--operations "$(by_flavour 300 80)" "$@"
phase "swapoff" --procs 2 --mem 24M --tagged-percent 30 --active-percent 50 \
	--operations "$(by_flavour 200 60)" --cycle-swap "$DEV" "$@"
check_that "pages went through swap" "$(sum_of swapped) > 10000"
check_that "objects were relocated for tags" "$(attr hook/relocated) > 100"

note "blocks: $(attr tag_storage/blocks), largest use $(mm_stat mem_used_max) bytes"
check "swapoff" swapoff "$DEV"
check_empty_after_swap
check_balance "$static"

note "pages verified  $(sum_of verified)"
note "after swap-in   $(sum_of swapped)"
note "with their tags $(sum_of tagged)"
note "tag faults      $(sum_of 'tag faults')"
note "forks           $(sum_of forks)"
print_hook_counts
for cause in no_space mem_limit no_memory compress; do
	note "refused writes, $cause: $(attr failed_writes/$cause)"
done
check "reset" set_attr reset 1
check_is "after reset, blocks in use" 0 "$(attr tag_storage/blocks_used)"
finish
