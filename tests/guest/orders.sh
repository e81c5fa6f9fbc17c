#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# No process sees as tags what others have stored. A full device holds data with a known
# string. An unprivileged process takes all sequences of steps that change which pages have
# tags; then four readers read all tags. See the top of tests/proof/orders.c.
#
# Arguments replace "--length 3 --sample 64", which means all sequences of two steps, and
# one of 64 sequences of three steps. For example: --kind huge --length 2 --every. The
# argument "every" means all sequences of three steps.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

out=/tmp/orders.out

# number LINE NAME: a number of the results.
number()
{
	sed -nE "s/^orders: $1:? (.* )?$2 ([0-9]+).*/\2/p" $out
}

vm_event()
{
	awk -v name="$1" '$1 == name { print $2 }' /proc/vmstat
}

# run_orders OPTION...: leaves the output in $out.
run_orders()
{
	orders "$DEV" --seed "$seed" "$@" | tee $out
}

# Pages are swapped together with their tags. The device of this test is full, so zram holds
# these pages.
add_swap()
{
	modprobe zram || bail "modprobe zram failed"
	echo 256M >/sys/block/zram0/disksize
	swap_on /dev/zram0
}

# With --inject the string is left in tags on purpose: each reader must find it.
see_it()
{
	local reader

	check_fails_with "injected: the string is found" "SEEN" run_orders --kind small --length 0 \
		--every --inject
	for reader in ldg ptrace core swap; do
		check_that "injected: $reader finds the string" "$(number "by $reader" strings) > 0"
	done
}

# Did the sequences do what they are for?
check_power()
{
	local reader

	for reader in ldg ptrace core swap child; do
		check_that "read by $reader" "$(number "by $reader" pages) > 1000"
		check_is "read by $reader: no page was unreadable" 0 "$(number "by $reader" unreadable)"
	done
	check_that "blocks with data were taken" \
		"$(attr hook/evicted) > $(number 'in all' sequences)"
	check_that "mprotect() failed for a limit" "$(number 'in all' limit-failures) > 0"
	check_that "mprotect() failed for a split" "$(number 'in all' split-failures) > 0"
	check_that "memory was collapsed" "$(vm_event thp_collapse_alloc) > 0"
	check_that "pages migrated" "$(vm_event pgmigrate_success) > 0"
	check_that "huge pages were split" "$(vm_event thp_split_page) > 100"
	check_that "pages went through swap" "$(vm_event pswpin) > 1000"
}

load
static=$(attr tag_storage/blocks_tagged)
seed=$(od -An -tu4 -N4 /dev/urandom | tr -d ' ')
note "seed $seed"
set_up $(($(attr tag_storage/size) * 8))
add_swap
# With a low limit of mappings, fail-by-split needs few of these.
maps=$(cat /proc/sys/vm/max_map_count)
echo 256 >/proc/sys/vm/max_map_count

see_it
(($# > 0)) || set -- --length 3 --sample 64
[[ $1 != every ]] || set -- --length 3
run_orders "$@"
status=$?
check_that "orders ended as it should" "$status == 0 || $status == 1 || $status == 3"
check_is "no tag of others was seen" 0 "$(number 'seen of others' tags)"
check_is "no string of others was seen" "0 0" \
	"$(number 'seen of others' strings) $(number 'seen of others' stale)"
check_is "no correct access has failed" 0 "$(number 'seen of others' faults)"
check_is "what is stored is right" 0 "$(number 'in all' bad-slots)"
check_is "no process was killed or has crashed" "0 0" \
	"$(number 'in all' killed) $(number 'in all' crashed)"
check_is "no own tag was lost" "0 0" \
	"$(number 'lost of our own' tags) $(number 'lost of our own' faults)"
check_power

print_hook_counts
echo "$maps" >/proc/sys/vm/max_map_count
check "swapoff" swapoff /dev/zram0
check "discard" blkdiscard "$DEV"
check_empty
check_balance "$static"
finish
