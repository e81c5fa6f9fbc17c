#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module is loaded and removed. It cannot be removed while its device is in use. Pages
# that are tagged while the module is not loaded are known when it is loaded again.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

proof_small()
{
	proof --procs 2 --mem 16M --tagged-percent 40 --active-percent 60 "$@"
}

check_loudly "the record of pages agrees with flags before the module was ever loaded" audit
check "tagged memory works without the module" proof_small
check_loudly "without the module: the record of pages agrees with flags" audit

check "modprobe" modprobe mtetagram
check "the device is there" test -b "$DEV"
static=$(attr tag_storage/blocks_tagged)
check "rmmod of a device that is not set up" rmmod mtetagram
check_that "the device is gone" "$([[ -b $DEV ]] && echo 0 || echo 1)"

check "modprobe again" modprobe mtetagram
set_up 64M
exec 9<>"$DEV"
check_fails_with "rmmod while it is open" "in use" rmmod mtetagram
check "the device is still there" test -b "$DEV"
exec 9>&-
swap_on "$DEV"
check "swap and tags" proof_small
check_fails_with "rmmod while it is swap" "in use" rmmod mtetagram
check "swapoff" swapoff "$DEV"
check "rmmod works while the device is set up and not open" rmmod mtetagram

# Processes with tagged memory go on while the module is loaded and the device is filled.
load_start proof proof --procs 2 --mem 24M --tagged-percent 60 --active-percent 40 \
	--endless || bail "proof has ended"
modprobe mtetagram || bail "modprobe failed"
set_up 64M
check_that "tagged pages are known" "$(attr tag_storage/reserved_pages) > $static"
check "the whole device can be used beside tagged pages" slots write "$DEV" --count 4096 --batch 16
check "what was stored beside tagged pages is right" slots verify "$DEV" --count 4096
check "the tagging goes on meanwhile" load_progress proof
load_stop proof
check_is "all bytes and tags of the load were right" 0 $?
load_output proof
check "the device is still right" slots verify "$DEV" --count 4096 --batch 4
check "discard" blkdiscard "$DEV"
check_empty
check_balance "$static"
check "rmmod" rmmod mtetagram

check_loudly "the record of pages agrees with flags at the end" audit
finish
