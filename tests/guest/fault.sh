#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Allocations and rungs of relocation fail at random. Needs the debug kernel. First memory
# is tagged and moved while the device is full of slots: in the end each slot is read, and
# exactly as many slots are lost as the driver has counted, so that a rung cannot forget an
# object unnoticed. Then the proof runs: memory in swap, tagged memory, frees and stores on
# all processors. Nothing may be wrong; pages may be lost only if the driver has counted lost
# objects, and processes may be killed only if the driver has counted killed ones.
# Only allocations fail that cannot wait, and of the slabs only kmalloc(): without memory
# for a signal's details, a tag fault would look like another fault.
# Arguments: operations of each process of the proof, percent of failures, seed.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

operations=${1:-20}
percent=${2:-25}
seed=${3:-1}
debug=/sys/kernel/debug
many=1000000
out=/tmp/proof.out
corrupt=1 incomplete=3

# inject DIRECTORY PERCENT: that share of the calls fails, at random; "times" counts down.
inject()
{
	echo 0 >"$debug/$1/verbose"
	echo $many >"$debug/$1/times"
	echo "$2" >"$debug/$1/probability"
}

# inject_all PERCENT DIRECTORY...
inject_all()
{
	local name

	used=("${@:2}")
	for name in "${used[@]}"; do
		inject "$name" "$1"
	done
}

# Leaves in $injected how often the rarest failure has come so far.
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

# The counters that say what became of objects for which memory was missing.
paid()
{
	local name

	for name in relocated relocated_kept spilled spilled_atomic spilled_emergency refused killed \
		lost; do
		printf '%s %s  ' $name "$(attr hook/$name)"
	done
}

# note_status STATUS FILE: counts how a process with tagged memory ended.
note_status()
{
	case $1 in
	0) held=$((held + 1)) ;;
	3 | 137) paid_tasks=$((paid_tasks + 1)) ;;
	*) fail "$what: $(<"$2")" ;;
	esac
}

tag_late()
{
	hold $((carveout * 3)) mprotect </dev/null >/tmp/hold.out 2>&1
	note_status $? /tmp/hold.out
}

# A page that is moved takes its tags with it: these tags cannot be refused.
tag_and_move()
{
	local i holder from to

	coproc holder_of { exec hold $((carveout * 3)) new; }
	# If the process is killed, bash forgets the variables of coproc.
	holder=$! from=${holder_of[0]} to=${holder_of[1]}
	for ((i = 0; i < 50; i++)); do
		read -r _ <&"$from" || break
		echo -n m >&"$to" || break
	done
	eval "exec $to>&-"
	wait "$holder"
	note_status $? /dev/null
	tag_late
	status=0
}

# run_proof OPTION...: runs the proof, and leaves its status in $status.
run_proof()
{
	local pid

	proof --procs 3 --mem $((carveout * 3 / 2)) --seed "$seed" --operations "$operations" \
		"$@" >"$out" 2>&1 &
	pid=$!
	# Meanwhile other processes tag memory: tags take the blocks that the proof fills.
	while kill -0 "$pid" 2>/dev/null; do
		tag_late
	done
	wait "$pid"
	status=$?
	paid_tasks=$((paid_tasks + $(sed -nE 's/^proof: lost.* killed ([0-9]+) .*/\1/p' "$out")))
}

# How often the rarest rung of relocation was used.
rarest_rung()
{
	local name

	for name in relocated relocated_kept spilled spilled_atomic spilled_emergency; do
		attr hook/$name
	done | sort -n | head -n 1
}

# rounds COMMAND...: runs the command while failures are injected, until each failure has
# come several times and each rung was used often. Leaves in $lost and $killed how many
# objects were lost and processes killed.
rounds()
{
	local round

	lost=$(attr hook/lost) killed=$(attr hook/killed) held=0
	inject_all "$share" "${faults[@]}"
	for ((round = 1; round <= 12; round++)); do
		"$@"
		count_injected
		((!status && (injected < 5 || $(rarest_rung) < rungs_used))) || break
	done
	note "$what: $round times, $held times other memory was tagged"
	stop_injection
	lost=$(($(attr hook/lost) - lost)) killed=$(($(attr hook/killed) - killed))
	note "  $(paid)"
	check_that "$what: failures of each kind were injected" "$injected > 0"
	((!rungs_used)) ||
		check_that "$what: each rung was used $rungs_used times" \
			"$(rarest_rung) >= rungs_used"
}

stored()
{
	local count what="$1, stored"

	set_up $((carveout * 8))
	count=$(slots fill "$DEV" --count $((carveout * 8 / 4096)))
	rounds tag_and_move
	check "$what: of $count slots $lost are lost, as counted, and all others are right" \
		slots verify "$DEV" --count "$count" --lost "$lost"
	check "$what: discard" blkdiscard "$DEV"
	check_empty
}

# swapped NAME PROOF-OPTION...
swapped()
{
	local what="$1, swapped" rungs_used=0

	set_up $((carveout * 8))
	swap_on "$DEV"
	rounds run_proof "${@:2}"
	note "  $(grep '^proof: lost pages' $out)"
	case $status in
	0) pass "$what: every byte and every tag was right" ;;
	"$incomplete")
		pass "$what: all that was not lost was right"
		check_that "$what: the driver has counted lost objects or killed processes" \
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

# part NAME PERCENT TIMES FAULT...: each rung must be used at least TIMES; 0 is no demand.
part()
{
	local share=$2 rungs_used=$3 faults=("${@:4}") status lost killed held

	stored "$1"
	swapped "$1" --swap-bulk --tagged-percent 25 --active-percent 25 \
		--ballast "$(ballast)"
}

load
[[ -d $debug/mtetagram/fail_move ]] || skip_all "the kernel lacks fault injection"
static=$(attr tag_storage/reserved_pages)
carveout=$(attr tag_storage/size)
paid_tasks=0
echo 1 >$debug/failslab/cache-filter
for cache in /sys/kernel/slab/kmalloc-*/failslab; do
	echo 1 >"$cache"
done
rungs=(mtetagram/fail_{move,kept,spare,atomic})

part "allocations" "$percent" 0 failslab fail_page_alloc
part "rungs" $((percent * 2)) 32 "${rungs[@]}" failslab fail_page_alloc
part "nearly all rungs" 90 8 "${rungs[@]}" mtetagram/fail_emergency
note "$paid_tasks tasks paid"

check "reset" set_attr reset 1
check_balance_but_failed "$static"
finish
