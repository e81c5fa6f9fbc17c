#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The proof: memory past RAM, swapped to tag storage, every byte and every tag
# verified; then everything is freed and must be given back to the last block.
# Arguments go to proof.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

out=/tmp/proof.out

load
static=$(attr tag_storage/blocks_tagged)
check_loudly "claims agree with the flags before" audit
set_up $(($(attr tag_storage/size) * 8))
swap_on "$DEV"

run_proof()
{
	proof "$@" | tee "$out"
}
if (($#)); then
	check_loudly "every byte and every tag was right" run_proof "$@"
else
	check_loudly "every byte and every tag was right" run_proof --time \
		"$(by_flavour 40 120)"
fi
check_that "pages went through swap" "$(summary_of $out swapped) > 1000"
check_that "objects were moved out of the way of tags" "$(attr reserve/moved) > 0"

# Everybody tags and untags while all that is swapped comes back in at once.
check_loudly "swapoff while tagged memory is in use" proof --procs 2 \
	--mem $((24 << 20)) --tagged-percent 30 --active-percent 50 \
	--time "$(by_flavour 12 40)" --cycle-swap "$DEV" --seed 2

note "blocks: $(attr tag_storage/blocks), $(attr tag_storage/blocks_used) used, $(attr tag_storage/blocks_tagged) tagged, largest use $(mm_stat mem_used_max) bytes"
check "swapoff" swapoff "$DEV"
check_empty_after_swap
check_balance "$static"

note "pages verified  $(summary_of $out verified)"
note "after swap-in   $(summary_of $out swapped)"
note "with their tags $(summary_of $out tagged)"
print_reserve_counts
for cause in no_space mem_limit no_memory compress; do
	note "refused writes, $cause: $(attr failed_writes/$cause)"
done
check "reset" set_attr reset 1
check_is "after reset, blocks in use" 0 "$(attr tag_storage/blocks_used)"
finish
