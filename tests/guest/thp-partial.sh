#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A part of a huge page gets PROT_MTE, and then the huge page is split. By a patch of the
# series, each page keeps its tags, or stays untagged. The stock kernel gives all pages the
# tagging state of the first page, so that tags are lost and others appear.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

load
static=$(attr tag_storage/blocks_tagged)
carveout=$(attr tag_storage/size)
set_up $((carveout * 8))
swap_on "$DEV"
splits=$(awk '$1 == "thp_split_page" { print $2 }' /proc/vmstat)
check_loudly "every byte and every tag was right" proof --procs 2 --mem $((carveout * 3)) \
	--swap-bulk --tagged-percent 30 --active-percent 4 --thp-partial \
	--operations "$(by_flavour 150 50)"
check_that "huge pages were split" \
	"$(awk '$1 == "thp_split_page" { print $2 }' /proc/vmstat) > $splits"
check "swapoff" swapoff "$DEV"
check_empty_after_swap
check_balance "$static"
finish
