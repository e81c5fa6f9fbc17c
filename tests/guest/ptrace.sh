#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ptrace accesses the tags of pages that user space cannot access, and that were therefore
# never tagged. The pages must be reserved first, or the data in their tag blocks is read as
# tags and overwritten.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

load
static=$(attr tag_storage/blocks_tagged)
carveout=$(attr tag_storage/size)
set_up $((carveout * 8))
# Half of the data that would fill the device, so that there is room for each object that
# must move.
count=$((carveout / 4096 / 2))
check "fill half of the device" slots write "$DEV" --count $count --content random
check_loudly "tags by ptrace" tracer $((96 << 20))
check "what was stored is right" slots verify "$DEV" --count $count --content random
check_is "no object was lost" 0 "$(attr hook/lost)"
check "discard" blkdiscard "$DEV"
check_empty
check_balance "$static"
finish
