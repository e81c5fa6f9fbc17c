#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tags of pages that user space cannot access, and which therefore were never tagged,
# accessed by ptrace: the blocks must be reserved first, or stored data is read as
# tags and overwritten.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

load
static=$(attr tag_storage/blocks_tagged)
carveout=$(attr tag_storage/size)
set_up $((carveout * 8))
# Half of what would fill it, so that all of it can be moved somewhere.
count=$((carveout / 4096 / 2))
check "fill the device" slots write "$DEV" --count $count --content random
check_loudly "tags by ptrace" tracer $((96 << 20))
check "what was stored is right" slots verify "$DEV" --count $count --content random
check_is "no object was lost" 0 "$(attr hook/lost)"
check "discard" blkdiscard "$DEV"
check_empty
check_balance "$static"
finish
