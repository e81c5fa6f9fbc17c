#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# PROT_MTE for a part of a huge page, which is then split: Linux gives all parts the
# tagging state of the first. Tags that were set may be cleared by that, with or without
# tag storage in use; the count is shown. What must not happen is that anything else
# comes to harm: no data is lost, no stored object overwritten by tags of a page whose
# block was not reserved, and all is given back in the end.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

out=/tmp/proof.out

load
static=$(attr tag_storage/blocks_tagged)
carveout=$(attr tag_storage/size)
set_up $((carveout * 8))
swap_on "$DEV"
proof --procs 2 --mem $((carveout * 3)) --swap-bulk --tagged-percent 30 \
	--active-percent 4 --thp-partial --operations "$(by_flavour 150 50)" >$out 2>&1
status=$?
grep -v ' s: ' $out | cut -c 1-220 | sed 's/^/# /'

case $status in
0) note "no tag was lost" ;;
1) note "lost tags: $(sed -nE 's/^proof: corrupt pages .*(tags=[0-9]+ faults=[0-9]+).*/\1/p' $out)" ;;
*) fail "proof ended with status $status" ;;
esac
check_is "all data is right" 0 "$(grep -c 'BAD DATA' $out)"
check_is "no page was lost" 0 "$(grep -c 'LOST PAGE' $out)"
check "only tags of huge pages are wrong" \
	sh -c "! grep -E 'BAD TAGS|TAG FAULT' $out | grep -v '(huge)'"
check "swapoff" swapoff "$DEV"
check_empty_after_swap
check_balance "$static"
finish
