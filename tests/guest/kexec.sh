#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# One kernel starts another while the device is full and memory is tagged. The second
# kernel finds nothing of the first: no block with data, no tags but its own, and tags and
# data are right when it uses the device. The harness sees one guest.
#
# The second kernel runs this script again, with the number of results so far on its
# command line.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

fill()
{
	set_up $(($(attr tag_storage/size) * 8))
	count=$(slots fill "$DEV" --count $(($(attr tag_storage/size) * 8 / 4096)))
	note "$count slots fill the device"
}

# From the command line that the first kernel gave to the second.
option()
{
	sed -n "s/.* kexec_$1=\([^ ]*\).*/\1/p" /proc/cmdline
}

first_kernel()
{
	local said

	fill
	coproc HOLD { hold $((64 << 20)) new; }
	read -r said <&"${HOLD[0]}"
	check_is "memory is tagged" ready "$said"
	check_that "pages are reserved" "$(attr tag_storage/reserved_pages) >= 64 << 8"
	check_that "blocks hold data" "$(attr tag_storage/blocks_used) > 100"
	check "stored data is right" slots verify "$DEV" --count "$count"
	kexec /mtetagram/files/Image "$(</proc/cmdline) kexec_results=$CHECKS kexec_boot=$boot"
	bail "the kernel could not be replaced"
}

second_kernel()
{
	CHECKS=$(option results)
	check_fails_with "another kernel runs" "" test "$(option boot)" = "$boot"
	check_is "no block holds data" 0 "$(attr tag_storage/blocks_used)"
	check_that "the pages of the first kernel are not reserved" \
		"$(attr tag_storage/reserved_pages) < 1000"
	check_loudly "the record agrees with the flags of all pages" audit
	fill
	check "tags are right while the device is full" paths mprotect
	check_that "blocks with data were evicted for tags" "$(attr hook/evicted) > 0"
	check "stored data is right" slots verify "$DEV" --count "$count"
	check_is "nothing was lost" 0 "$(attr hook/lost)"
}

boot=$(</proc/sys/kernel/random/boot_id)
load
if [[ -z $(option boot) ]]; then
	first_kernel
else
	second_kernel
fi
finish
