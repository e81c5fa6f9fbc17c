#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# With the hook's work switched off, tags overwrite stored data, and the proof must find
# that. A proof that finds nothing here would find nothing elsewhere.
#
# Only memory of the proof is in swap: no other process needs much memory.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

out=/tmp/proof.out
corrupt=1
incomplete=3
# The data is more than the tag storage has room for, so that hardly a block stays empty.
size=(--procs 2 --tagged-percent 12 --active-percent 4 --swap-bulk --no-compact
	--ballast "$(ballast)")

load
[[ -e "$DEBUGFS/leave_out" ]] || skip_all "the kernel lacks CONFIG_MTETAGRAM_DEBUG"
set_up $(($(attr tag_storage/size) * 8))
swap_on "$DEV"
size+=(--mem $(($(attr tag_storage/size) * 3 / 2)))

echo 1 >"$DEBUGFS/leave_out" || bail "cannot switch the hook off"
proof "${size[@]}" --operations 100 >$out 2>&1
status=$?
echo 0 >"$DEBUGFS/leave_out"
grep -v ' s: ' $out | cut -c 1-200 | sed 's/^/# /'

note "status of proof: $status"
if [[ $status == "$corrupt" ]]; then
	pass "the proof found corruption without the hook"
elif [[ $status == "$incomplete" ]] && grep -q '^proof: incomplete: lost=[1-9]' $out; then
	pass "the proof found unreadable pages without the hook"
else
	fail "the proof found nothing wrong without the hook"
fi
check_that "blocks with data were taken for tags" "$(attr hook/evicted) > 0"
# What is corrupt must not stay in swap: swapoff would read all of it.
check "swapoff" swapoff "$DEV"
check "reset" set_attr reset 1

# With the hook, the same work must end with nothing wrong.
set_up $(($(attr tag_storage/size) * 8))
swap_on "$DEV"
check_loudly "with the hook nothing is wrong" proof "${size[@]}" --operations 100
check "swapoff" swapoff "$DEV"
finish
