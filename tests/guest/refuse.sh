#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# By fault injection on every rung, there is no place for data that is in the way of tags.
# A system call that can fail, fails. A page fault that can wait, waits; if there will never
# be room, the process is killed. No other process loses anything. For a process that must
# not be killed, data is dropped: exactly the counted slots cannot be read then, and no slot
# reads wrong.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

faults=/sys/kernel/debug/mtetagram
rungs=(move kept spare atomic emergency)

# fail_rungs TIMES RUNG...: each of these fails that often; -1 is always, 0 is never.
fail_rungs()
{
	local times=$1 rung

	shift
	for rung; do
		echo 0 >$faults/fail_"$rung"/verbose
		echo "$times" >$faults/fail_"$rung"/times
		echo $((times ? 100 : 0)) >$faults/fail_"$rung"/probability
	done
}

fail_all()
{
	fail_rungs "$1" "${rungs[@]}"
}

# After WHAT nothing is lost.
check_kept()
{
	check_is "$1: nothing is lost" 0 "$(attr hook/lost)"
	check "$1: what was stored is right" slots verify "$DEV" --count "$count"
}

load
[[ -d $faults/fail_move ]] || skip_all "the kernel lacks fault injection"
static=$(attr tag_storage/reserved_pages)
set_up $(($(attr tag_storage/size) * 8))
count=$(slots fill "$DEV" --count $(($(attr tag_storage/size) * 8 / 4096)))
note "$count slots fill the device"

fail_all -1
hold $((64 << 20)) mprotect </dev/null 2>/dev/null
check_is "mprotect: it fails" 3 $?
check_that "mprotect: that is counted" "$(attr hook/refused) > 0"
check_is "mprotect: no process is killed" 0 "$(attr hook/killed)"
for how in shared new; do
	refused=$(attr hook/refused) killed=$(attr hook/killed)
	hold $((64 << 20)) $how </dev/null 2>/dev/null
	check_is "$how: the process is killed" 137 $?
	check_is "$how: the killed process is counted once" $((killed + 1)) "$(attr hook/killed)"
	check_that "$how: the refused object is counted" "$(attr hook/refused) > $refused"
done
check "the log says why" \
	bash -c 'dmesg | grep -q "mtetagram: killed process .* (hold): no memory"'
fail_all 0
check_kept "mprotect, shared, new"

# Only the allocation of spare pages fails, and there is no stock of these.
set_attr tag_storage/spare_size 0
fail_rungs -1 move kept make_room
killed=$(attr hook/killed)
for how in new shared; do
	hold $((64 << 20)) $how </dev/null >/dev/null 2>&1
	note "$how: status $?, $(($(attr hook/killed) - killed)) killed"
done
pass "no room can be made: each fault ends"
hold $((64 << 20)) mprotect </dev/null 2>/dev/null
check_is "no room can be made: mprotect() fails" 3 $?
fail_rungs 0 move kept make_room
check_kept "no room can be made"

# The rungs fail less often than a page fault tries again.
killed=$(attr hook/killed)
fail_all 10
hold $((64 << 20)) new </dev/null >/dev/null
check_is "new: the process waits, and all tags and bytes are right" 0 $?
check_is "new: no process is killed" "$killed" "$(attr hook/killed)"
fail_all 0
check_kept "new, waiting"

# Tagged pages should move to memory whose tag blocks cannot be emptied: these pages stay
# where they are.
coproc holder { exec hold $((64 << 20)) new; }
holder_pid=$!
read -r _ <&"${holder[0]}"
fail_all -1
stays=0
for ((i = 0; i < 100; i++)); do
	echo -n m >&"${holder[1]}"
	read -r answer <&"${holder[0]}" || break
	[[ $answer != stays ]] || stays=$((stays + 1))
done
fail_all 0
note "copy: $stays of $i pages stay where they are"
check_that "copy: for some pages there was no room" "$stays > 0"
eval "exec ${holder[1]}>&-"
wait $holder_pid
check_is "copy: all tags and bytes are right" 0 $?
check_kept "copy"

# Every other path: its process may fail or be killed, but nothing is lost.
for name in anon mprotect thp thp-mprotect mthp huge-zero shmem fault-around uffd-copy \
	uffd-zero uffd-move cow cow-file fork-pinned migrate collapse collapse-shmem \
	remote process-vm split; do
	fail_all -1
	paths $name >/dev/null 2>&1
	status=$?
	fail_all 0
	check_is "$name (status $status): nothing is lost" 0 "$(attr hook/lost)"
done
fail_all -1
tracer $((16 << 20)) >/dev/null 2>&1
note "ptrace: status $?"
fail_all 0
check_kept "every path"

# A process that must not be killed.
not_killed=$(attr hook/not_killed) killed=$(attr hook/killed)
fail_all -1
sh -c 'echo -1000 >/proc/self/oom_score_adj && exec hold $((1 << 20)) shared' </dev/null >/dev/null
check_is "not_killed: the process goes on, and all tags and bytes are right" 0 $?
fail_all 0
lost=$(attr hook/lost)
note "not_killed: $(($(attr hook/not_killed) - not_killed)) pages, $lost objects lost"
check_that "not_killed: the pages are counted" "$(attr hook/not_killed) > $not_killed"
check_is "not_killed: no process is killed" "$killed" "$(attr hook/killed)"
check "not_killed: the log names the process" bash -c 'dmesg | grep -q "which must not be killed"'
check_that "not_killed: objects were dropped" "$lost > 0"
check "not_killed: just the dropped slots cannot be read, and no slot is wrong" \
	slots verify "$DEV" --count "$count" --lost "$lost"
# The device is full: to write lost slots again, others are discarded.
check "not_killed: discard a few" blkdiscard --force --length $((128 * 4096)) "$DEV"
check "not_killed: a lost slot can be written again" slots write "$DEV" --from 128 --count $((count - 128))
check "not_killed: the slots can be read" slots verify "$DEV" --from 128 --count $((count - 128))

print_hook_counts
check "discard" blkdiscard --force "$DEV"
check_empty
check_balance_but_failed "$static"
finish
