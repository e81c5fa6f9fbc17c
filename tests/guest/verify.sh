#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel verifies that the tags are where the device tree says: at boot as the boot
# parameter mtetagram.verify= says, and later on request, while blocks hold data and tags.
#
#   verify.sh sample|all|off|bad	the machine is right; the boot parameter
#   verify.sh shifted|elsewhere|swapped|small PLACE...
#					the device tree is wrong (--tree). For each region:
#					the place where all tags really begin; "-" if there
#					is no such place, "none" if it is far away
#   verify.sh overlapping PLACE		two regions overlap, and one of them is wrong
#   verify.sh later			the device tree is wrong, and nothing was verified
#					at boot
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

MEMORY=$((0x40000000))
LOG=/tmp/log
dmesg | grep 'mtetagram: ' >"$LOG"

in_log()
{
	grep -qE "$1" "$LOG" || { cat "$LOG"; return 1; }
}

# What came of the last verification.
result()
{
	local words

	read -ra words <"$SYS/tag_storage/verify"
	echo "${words[$1]}"
}

# A property of a node of the device tree: the Nth number of 64 bits.
cells()
{
	od -An -v -t x1 "$1" | tr -d ' \n' | cut -c $((16 * $2 + 1))-$((16 * $2 + 16))
}

at_boot()
{
	local i regions places

	regions=$(grep -c 'region [0-9]*: tag storage' "$LOG")
	places=$((48 / regions))
	[[ $1 != all ]] || places=$(attr tag_storage/blocks)
	note "$regions regions"
	for ((i = 0; i < regions; i++)); do
		SYS=/sys/block/mtetagram$i
		note "region $i: $(attr tag_storage/verify)"
		check_is "region $i is verified" ok "$(result 0)"
		check_is "region $i: all places are counted" "$places" \
			$(($(result 1) + $(result 2) + $(result 3)))
		check_is "region $i: number of places" "$places" "$(result 4)"
		check_that "region $i: most places are checked" "$(result 1) * 4 > $places * 3"
		check_is "region $i: no block is in use at boot" 0 "$(result 3)"
		check "region $i: the log has the number" in_log \
			": $(result 1) tag blocks are verified, at $(result 2) places is no free data page"
	done
	SYS=/sys/block/mtetagram0
}

verify_as_nobody()
{
	# shellcheck disable=SC2016 # for the other shell
	setpriv --reuid 65534 --regid 65534 --clear-groups bash -c 'echo sample >"$1"' bash \
		"$SYS/tag_storage/verify"
}

# verify_later WHAT: both ways to start it, and what they say.
verify_later()
{
	local blocks

	blocks=$(attr tag_storage/blocks)
	check "$1: a sample" set_attr tag_storage/verify sample
	note "$1: sample: $(attr tag_storage/verify)"
	check_is "$1: the sample is right" ok "$(result 0)"
	check_that "$1: the sample has 48 places" "$(result 1) + $(result 2) + $(result 3) == 48"
	check "$1: all blocks" mtetagramctl verify --all "$DEV"
	note "$1: all: $(attr tag_storage/verify)"
	check_is "$1: all blocks are right" ok "$(result 0)"
	check_is "$1: all blocks are counted" "$blocks" $(($(result 1) + $(result 2) + $(result 3)))
}

# Until each of the verifications that run beside a load has ended well.
verify_beside()
{
	local i

	for ((i = 0; i < $2; i++)); do
		set_attr tag_storage/verify "$1" || [[ $(result 1) == 0 ]] || return 1
		[[ $(result 0) == ok || $(result 0) == none ]] || return 1
	done
}

interrupted()
{
	local pid

	# A process of its own, as a signal ends it.
	# shellcheck disable=SC2016 # for the other shell
	bash -c 'echo all >"$1"' bash "$SYS/tag_storage/verify" 2>/dev/null &
	pid=$!
	until [[ $(result 0) == running && $(result 1) -gt 10 ]]; do
		[[ -d /proc/$pid ]] || return 1
	done
	kill -TERM "$pid"
	wait "$pid"
	[[ $(result 0) == interrupted ]]
}

later()
{
	local size count static

	size=$(attr tag_storage/size)
	static=$(attr tag_storage/blocks_tagged)
	check_fails_with "an unknown word" "Invalid argument" set_attr tag_storage/verify some
	check_fails_with "only root may start it" "Permission denied" verify_as_nobody
	verify_later "no data"
	check "a signal ends it" interrupted
	check "after a signal it can be started again" set_attr tag_storage/verify sample

	set_up $((size * 4))
	check "write a half" slots write "$DEV" --content half --count $((size / 4096))
	verify_later "half full"
	check "half full: what was stored is right" slots verify "$DEV" --content half \
		--count $((size / 4096))
	check "discard" blkdiscard "$DEV"

	set_up $((size * 8))
	count=$(slots fill "$DEV" --count $((size * 8 / 4096)))
	note "$count slots fill the device"
	check "full: a verification has nothing to check, or finds no fault" verify_beside sample 3
	note "full: $(attr tag_storage/verify)"
	check "full: what was stored is right" slots verify "$DEV" --count "$count"
	check "discard" blkdiscard "$DEV"

	set_up $((size * 3))
	swap_on "$DEV"
	# Half as much again as the tag storage holds of raw pages: some of it is always in swap.
	load_start proof proof --procs 2 --mem $((size * 3 / 2)) --swap-bulk --tagged-percent 30 \
		--active-percent 50 --endless
	check "beside a load: samples" verify_beside sample 20
	check "beside a load: all blocks" verify_beside all 2
	note "beside a load: $(attr tag_storage/verify)"
	check "the load goes on" load_progress proof
	load_stop proof
	check_is "beside a load: bytes and tags are right" 0 $?
	load_output proof | sed 's/^/#   /'
	check "swapoff" swapoff "$DEV"
	check_empty_after_swap
	check_balance "$static"
	check_is "the device is not stopped" ok "$(attr tag_storage/state)"
}

right_machine()
{
	load
	case $1 in
	sample | all) at_boot "$1" ;;
	bad)
		check "the log has the wrong word" in_log \
			'mtetagram.verify=bad is not sample, all or off: a sample is verified'
		at_boot sample ;;
	off)
		check "the log says that nothing was verified" in_log \
			'tag storage is not verified: mtetagram.verify=off'
		check_is "nothing was verified" "none 0 0 0 0" "$(attr tag_storage/verify)" ;;
	esac
	check "the module knows the parameter" bash -c '! dmesg | grep "unknown parameter"'
	later
}

# refused_region REAL-PLACE: the next line of the log about a region that is wrong has the
# addresses: of a page, of the block that the tree names, and of its real tags.
refused_region()
{
	local real=$1 pattern line page block tags start size

	pattern='tag storage at (0x[0-9a-f]+) is wrong: the tags of data page (0x[0-9a-f]+) should be in the tag block of ([0-9]+) bytes at (0x[0-9a-f]+), but ([0-9]+) of their 128 bytes are there and (the first are at (0x[0-9a-f]+)|no others were found)'
	read -r line <&3 || return 1
	echo "$line"
	[[ $line =~ $pattern ]] || return 1
	start=${BASH_REMATCH[1]} page=${BASH_REMATCH[2]} size=${BASH_REMATCH[3]}
	block=${BASH_REMATCH[4]} tags=${BASH_REMATCH[7]}
	((block >= start && (block - start) % size == 0)) || return 1
	# The tags really begin at that place of the real tag storage.
	case $real in
	-) [[ ${BASH_REMATCH[5]} != 128 ]] ;;
	none) [[ ${BASH_REMATCH[5]} == 0 && ! $tags ]] ;;
	*) [[ ${BASH_REMATCH[5]} == 0 ]] &&
		((tags == real + (page - MEMORY) / 32 && tags != block)) ;;
	esac
}

wrong_tree()
{
	local real

	sed 's/^/# /' "$LOG"
	exec 3< <(grep ' is wrong: ' "$LOG")
	for real; do
		check_loudly "the region is refused, with the addresses" refused_region "$real"
	done
	check_is "no other region is refused" $# "$(grep -c ' is wrong: ' "$LOG")"
	check_is "no region is used" 0 "$(grep -c 'region [0-9]*: tag storage' "$LOG")"
	check_fails_with "there is no device" "No such device" modprobe mtetagram
	check "tags do not depend on the device" proof --procs 2 --mem 16M --tagged-percent 40 \
		--active-percent 60
}

# The wrong one of two regions overlaps the right one. The model names the wrong one first, so
# the right one is refused at once, and the wrong one when its tags are not found.
overlapping_tree()
{
	check "the log names the two ranges" in_log \
		'tag-storage@[0-9a-f]+: too many regions, or \[mem 0x[0-9a-f]+-0x[0-9a-f]+\] for \[mem 0x[0-9a-f]+-0x[0-9a-f]+\] overlaps a region'
	wrong_tree "$@"
}

# Nothing was verified at boot, so the device is used until a verification finds the fault.
wrong_later()
{
	local size

	load
	size=$(attr tag_storage/size)
	set_up "$size"
	check "write" slots write "$DEV" --count 100
	check_fails_with "the verification fails with EIO" "Input/output error" \
		set_attr tag_storage/verify sample
	check_is "the result says so" wrong "$(result 0)"
	check "the log has the addresses" bash -c 'dmesg | grep -E "tag storage at 0x[0-9a-f]+ is wrong: the tags of data page 0x[0-9a-f]+ should be in the tag block of 4096 bytes at 0x"'
	check_is "the device is stopped" stopped "$(attr tag_storage/state)"
	check_fails_with "nothing is stored any more" "" slots write "$DEV" --count 10 --seed 1
	check "what was stored is right" slots verify "$DEV" --count 100
	check_fails_with "the tool says what to do" "boot with arm64.nomte" \
		mtetagramctl verify "$DEV"
	set_attr reset 1
	check_fails_with "it cannot be set up again" "Input/output error" set_attr disksize "$size"
}

case ${1:-} in
sample | all | off | bad) right_machine "$1" ;;
shifted | elsewhere | swapped | small) shift; wrong_tree "$@" ;;
overlapping) shift; overlapping_tree "$@" ;;
later) wrong_later ;;
*) bail "verify.sh $*: unknown" ;;
esac
finish
