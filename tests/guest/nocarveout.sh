#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A machine whose tags are not in DRAM: memory tagging works as on any kernel, and the driver
# says in one line that there is no tag storage.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

! compgen -G "/proc/device-tree/reserved-memory/tag-storage*" >/dev/null || skip_all "there is tag storage"
[[ ! -e /sys/kernel/debug/mtetagram ]] || fail "there is a debugfs directory"

check_that "the kernel log says nothing" "$(dmesg | grep -c mtetagram:) == 0"
check "tagged memory works" proof --procs 2 --mem 16M --tagged-percent 40 --active-percent 60
check_fails_with "modprobe fails with ENODEV" "No such device" modprobe mtetagram
check_is "one line in the log says why" 1 "$(dmesg | grep -c 'mtetagram: no usable MTE tag storage')"
check_is "there is no other line of the driver" 1 "$(dmesg | grep -c 'mtetagram: ')"
check_that "no device" "$([[ -e $SYS ]] && echo 0 || echo 1)"

# Swap works as on any kernel.
modprobe zram || bail "no zram to swap on"
echo 128M >/sys/block/zram0/disksize
swap_on /dev/zram0
check_loudly "swap of tagged memory works" proof --procs 2 --mem 48M --tagged-percent 40 \
	--active-percent 60
check "swapoff" swapoff /dev/zram0
finish
