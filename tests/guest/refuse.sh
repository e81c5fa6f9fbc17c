#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# No place for the data that is in the way of tags, by fault injection on every rung.
# mprotect() fails; who maps tagged memory is killed, and nothing is lost; who allocates
# it waits until there is memory; only where tagged memory is copied, data is dropped,
# and then exactly what was counted cannot be read, and nothing reads wrong.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

faults=/sys/kernel/debug/mtetagram
rungs=(move kept reserve atomic emergency)

# fail_all TIMES: each rung that often, -1 for always, 0 for never.
fail_all()
{
	local rung

	for rung in "${rungs[@]}"; do
		echo 0 >$faults/fail_"$rung"/verbose
		echo "$1" >$faults/fail_"$rung"/times
		echo $(($1 ? 100 : 0)) >$faults/fail_"$rung"/probability
	done
}

load
[ -d $faults/fail_move ] || skip_all "the kernel lacks fault injection"
static=$(attr tag_storage/tagged_pages)
set_up $(($(attr tag_storage/size) * 8))
count=$(slots fill "$DEV" --count $(($(attr tag_storage/size) * 8 / 4096)))
note "$count slots fill the device"

fail_all -1
hold $((64 << 20)) mprotect </dev/null 2>/dev/null
check_is "mprotect: it fails" 3 $?
check_that "mprotect: the object in its way is counted" "$(attr reserve/refused) > 0"
check_is "mprotect: nobody is killed" 0 "$(attr reserve/killed)"
refused=$(attr reserve/refused)
hold $((64 << 20)) shared </dev/null 2>/dev/null
check_is "shared: the process is killed" 137 $?
check_is "shared: that is counted, once" 1 "$(attr reserve/killed)"
check_that "shared: so is the object in its way" "$(attr reserve/refused) > $refused"
check "shared: the log says why" \
	bash -c 'dmesg | grep -q "mtetagram: killed process .* (hold): no memory"'
fail_all 0
check_is "mprotect, shared: nothing is lost" 0 "$(attr reserve/lost)"
check "mprotect, shared: what was stored is right" slots verify "$DEV" --count "$count"

killed=$(attr reserve/killed) refused=$(attr reserve/refused)
fail_all 50
hold $((64 << 20)) new </dev/null >/dev/null
check_is "new: it waits, and all tags and bytes are right" 0 $?
check_that "new: allocations did fail" "$(attr reserve/refused) > $refused"
check_is "new: nobody is killed" "$killed" "$(attr reserve/killed)"
fail_all 0
check_is "new: nothing is lost" 0 "$(attr reserve/lost)"
check "new: what was stored is right" slots verify "$DEV" --count "$count"

# Tagged pages are moved to where no tags were expected.
coproc holder { exec hold $((64 << 20)) new; }
holder_pid=$!
read -r _ <&"${holder[0]}"
fail_all -1
for ((i = 0; i < 100 && $(attr reserve/lost) == 0; i++)); do
	echo -n m >&"${holder[1]}"
	read -r _ <&"${holder[0]}"
done
fail_all 0
lost=$(attr reserve/lost)
note "copy: $i pages moved, $lost objects lost"
check_that "copy: objects were dropped" "$lost > 0"
check "copy: just these cannot be read, and nothing is wrong" \
	slots verify "$DEV" --count "$count" --lost "$lost"
eval "exec ${holder[1]}>&-"
wait $holder_pid
check_is "copy: all tags and bytes are right" 0 $?
# The device is full, so some has to go.
check "copy: discard a few" blkdiscard --length $((128 * 4096)) "$DEV"
check "copy: a lost slot can be written again" slots write "$DEV" --from 128 --count $((count - 128))
check "copy: and be read" slots verify "$DEV" --from 128 --count $((count - 128))

print_reserve_counts
check "discard" blkdiscard "$DEV"
check_empty
check_balance_but_failed "$static"
finish
