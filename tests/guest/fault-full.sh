#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# More room is wanted than there is. First everything is tagged while the device is full, so
# that every tag block is wanted. Then a user without privileges tags as much memory as the
# memory limit of the user's cgroup allows, again and again. The data of others must not
# suffer as long as memory is free.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

free_kb()
{
	awk '/^MemAvailable:/ { print $2 }' /proc/meminfo
}

# hold_all PERCENT HOW: one process for each processor holds tagged memory; together they
# want PERCENT of the memory that is available. Counts in $failed the processes that got no
# memory: the out-of-memory killer ended them, or mprotect() failed.
hold_all()
{
	local share=$1 how=$2 pids=() size status
	local cpus

	cpus=$(nproc)
	size=$(($(free_kb) * 1024 * share / 100 / cpus))
	while ((${#pids[@]} < cpus)); do
		hold $size "$how" </dev/null >/tmp/hold.${#pids[@]} 2>&1 &
		pids+=($!)
	done
	failed=0
	for pid in "${pids[@]}"; do
		wait "$pid"
		status=$?
		case $status in
		0) ;;
		3 | 137) failed=$((failed + 1)) ;;
		*)
			fail "hold $size $how ended with status $status: $(cat /tmp/hold.*)"
			return
			;;
		esac
	done
	pass "$share % of memory, $how: all tags and bytes were right; $failed of $cpus got no memory"
}

check_nothing_suffered()
{
	check_is "$1: nothing is lost" 0 "$(attr hook/lost)"
	check_is "$1: no process was killed for tags" 0 "$(attr hook/killed)"
}

load
carveout=$(attr tag_storage/size)
static=$(attr tag_storage/blocks_tagged)
set_up $((carveout * 8))
count=$(slots fill "$DEV" --count $((carveout * 8 / 4096)))
note "$count slots fill the device"

# 120 % is more than there is: the out-of-memory killer comes.
for share in 70 95 120; do
	hold_all $share new
	hold_all $share mprotect
done
check_nothing_suffered "everything tagged"
check "everything tagged: what was stored is right" slots verify "$DEV" --count "$count"
check_that "nearly every block was wanted" \
	"$(attr hook/evicted) > $(attr tag_storage/blocks)"
note "$(attr hook/relocated) moved, $(attr hook/spilled) spilled, $(attr hook/spilled_atomic) of these atomic, $(attr hook/refused) refused"

# The mass-tagger: a user without privileges, in a memory cgroup of its own. The processes
# of this user want more memory than the cgroup may have; most of them are killed.
cgroup=/sys/fs/cgroup/tagger
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir -p $cgroup
echo $((carveout * 4)) >$cgroup/memory.max
emergency=$(attr hook/spilled_emergency) refused=$(attr hook/refused)
evicted=$(attr hook/evicted)
as_user()
{
	# shellcheck disable=SC2016 # expanded by that shell
	bash -c 'echo $$ >"$1" || exit
		exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
			hold "$2" "$3"' - "$cgroup/cgroup.procs" $((carveout * 3)) "$1" </dev/null
}
tag_much()
{
	local how i pids pid tagged=0

	for how in new mprotect new mprotect; do
		pids=()
		for i in 1 2; do
			as_user "$how" >"/tmp/user.$i" 2>&1 &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do
			wait "$pid"
			case $? in
			0) tagged=$((tagged + 1)) ;;
			3 | 137) ;;
			*) return 1 ;;
			esac
		done
	done
	note "mass-tagger: $tagged of 8 processes got all"
}
check_loudly "mass-tagger: each process got all, or was killed" tag_much
note "mass-tagger: $(($(attr hook/evicted) - evicted)) blocks evicted, $(free_kb) KiB available, $(awk '/^oom_kill / { print $2 }' $cgroup/memory.events) out-of-memory kills in the cgroup"
check_that "mass-tagger: blocks with data were taken" "$(attr hook/evicted) > $evicted + 100"
check_nothing_suffered "mass-tagger"
check_is "mass-tagger: the emergency reserves were not touched" "$emergency" \
	"$(attr hook/spilled_emergency)"
check_is "mass-tagger: nothing was refused" "$refused" "$(attr hook/refused)"
check "mass-tagger: what was stored is right" slots verify "$DEV" --count "$count"
check "discard" blkdiscard "$DEV"
check_empty
rmdir $cgroup

check_balance "$static"
finish
