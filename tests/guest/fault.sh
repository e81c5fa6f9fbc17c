#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The proof while allocations and rungs of relocation fail at random: memory in swap,
# tagged memory, frees and stores on all processors. Nothing may be wrong. Pages may be
# lost only where the driver has counted lost objects, and processes killed only where
# it has counted those. Debug kernel.
# Of the kernel's allocations only those fail that cannot wait, and of the slabs only
# kmalloc(): without memory for a signal's details, a tag fault looks like another.
# Arguments: seconds of the proof, percent of failures, seed.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${1:-15}
percent=${2:-25}
seed=${3:-1}
debug=/sys/kernel/debug
many=1000000
out=/tmp/proof.out
corrupt=1 incomplete=3

# inject DIRECTORY PERCENT: failures at random, as many as come, counted in "times".
inject()
{
	echo 0 >"$debug/$1/verbose"
	echo $many >"$debug/$1/times"
	echo "$2" >"$debug/$1/probability"
}

# The same for several.
inject_all()
{
	local name

	used=("${@:2}")
	for name in "${used[@]}"; do
		inject "$name" "$1"
	done
}

# Leaves in $injected how often the rarest of them has failed so far.
count_injected()
{
	local name n

	injected=$many
	for name in "${used[@]}"; do
		n=$((many - $(<"$debug/$name/times")))
		((n >= injected)) || injected=$n
	done
}

stop_injection()
{
	local name

	for name in "${used[@]}"; do
		note "  $((many - $(<"$debug/$name/times"))) failures of $name"
		echo 0 >"$debug/$name/probability"
	done
}

# What paid for missing memory.
paid()
{
	local name

	for name in moved moved_kept spilled spilled_atomic spilled_emergency refused killed \
		lost; do
		printf '%s %s  ' $name "$(attr reserve/$name)"
	done
}

# run_proof NAME PROOF-OPTION...: leaves its status in $status.
run_proof()
{
	local what=$1 pid

	proof --procs 3 --mem $((carveout * 3 / 2)) --seed "$seed" --time "$seconds" \
		"${@:2}" >$out 2>&1 &
	pid=$!
	# Meanwhile much more is tagged: that takes the blocks that the others fill.
	while kill -0 $pid 2>/dev/null; do
		hold $((carveout * 3)) mprotect </dev/null >/tmp/hold.out 2>&1
		case $? in
		0) held=$((held + 1)) ;;
		3 | 137) paid_tasks=$((paid_tasks + 1)) ;;
		*)
			fail "$what: $(</tmp/hold.out)"
			break
			;;
		esac
	done
	wait $pid
	status=$?
	paid_tasks=$((paid_tasks + $(sed -nE 's/^proof: lost.* killed ([0-9]+) .*/\1/p' $out)))
}

# part NAME PERCENT PROOF-OPTION... -- FAULT...
part()
{
	local what=$1 share=$2 options=() status lost killed held=0 round

	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	set_up $((carveout * 8))
	swap_on "$DEV"
	lost=$(attr reserve/lost) killed=$(attr reserve/killed)
	inject_all "$share" "$@"
	# As often as it takes until each fault has come several times.
	for ((round = 1; round <= 12; round++)); do
		run_proof "$what" "${options[@]}"
		count_injected
		((!status && injected < 5)) || break
	done
	note "$what: $round times"
	stop_injection
	lost=$(($(attr reserve/lost) - lost)) killed=$(($(attr reserve/killed) - killed))
	note "  $(paid)"
	note "  $(grep '^proof: lost pages' $out); $held times other memory was tagged"
	check_that "$what: failures of each kind were injected" "$injected > 0"
	case $status in
	0) pass "$what: every byte and every tag was right" ;;
	"$incomplete")
		pass "$what: what was not lost was right"
		check_that "$what: just what the driver says was lost or killed" \
			"$lost || $killed"
		;;
	*)
		grep -v ' s: ' $out | head -n 20 | sed 's/^/#   /'
		fail "$what: proof ended with $status (corrupt is $corrupt)"
		;;
	esac
	if ! ((lost)); then
		check_is "$what: no lost object, no lost page" 0 \
			"$(sed -nE 's/^proof: lost pages ([0-9]+) .*/\1/p' $out)"
	fi
	check "$what: swapoff" swapoff "$DEV"
	check_empty_after_swap
}

load
[ -d $debug/mtetagram/fail_move ] || skip_all "the kernel lacks fault injection"
static=$(attr tag_storage/blocks_tagged)
carveout=$(attr tag_storage/size)
paid_tasks=0
echo 1 >$debug/failslab/cache-filter
for cache in /sys/kernel/slab/kmalloc-*/failslab; do
	echo 1 >"$cache"
done
rungs=(mtetagram/fail_{move,kept,reserve,atomic})
busy=(--swap-bulk --tagged-percent 25 --active-percent 25 --ballast "$(ballast)")

part "allocations" "$percent" "${busy[@]}" -- failslab fail_page_alloc
part "rungs" $((percent * 2)) "${busy[@]}" -- "${rungs[@]}" failslab fail_page_alloc
part "nearly all rungs" 90 "${busy[@]}" -- "${rungs[@]}" mtetagram/fail_emergency
note "$paid_tasks tasks paid"

check "reset" set_attr reset 1
given_back()
{
	[ "$(attr tag_storage/blocks_tagged)" = "$static" ]
}
check "tags are given back" wait_until "tag blocks are released" given_back
check_loudly "claims agree with the flags of all pages" audit
finish
