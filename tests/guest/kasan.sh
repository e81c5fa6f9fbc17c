#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A kernel with KASAN_HW_TAGS. With kasan=on the kernel tags all memory, so the driver does
# not use the tag storage, and says so in one line. With kasan=off the driver works. The
# argument is "on" or "off", as the kernel was booted.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

if [[ ${1:-} == off ]]; then
	load
	static=$(attr tag_storage/blocks_tagged)
	carveout=$(attr tag_storage/size)
	check "kasan=off was given" grep -qw kasan=off /proc/cmdline
	check_is "the log says nothing of KASAN" 0 "$(dmesg | grep -c 'mtetagram.*KASAN')"
	set_up $((carveout * 8))
	swap_on "$DEV"
	check_loudly "swap to tag storage works" proof --procs 2 --mem $((carveout * 3)) \
		--swap-bulk --tagged-percent 30 --active-percent 4 --rounds 2
	check "swapoff" swapoff "$DEV"
	check_empty_after_swap
	check_balance "$static"
	finish
fi

check_is "KASAN is on" 1 "$(dmesg | grep -c 'kasan: KernelAddressSanitizer initialized (hw-tags')"
check_is "one line says why tag storage is not used" 1 \
	"$(dmesg | grep -c 'mtetagram: .* not used: KASAN_HW_TAGS tags all memory (boot with kasan=off)')"
check_is "there is no other line of the driver" 1 "$(dmesg | grep -c 'mtetagram: ')"
check "nothing in debugfs" test ! -e /sys/kernel/debug/mtetagram
check_fails_with "modprobe fails with ENODEV" "No such device" modprobe mtetagram
check "no device" test ! -e "$SYS"
check_loudly "tagged memory works" proof --procs 2 --mem 16M --tagged-percent 40 \
	--active-percent 60 --rounds 2
finish
