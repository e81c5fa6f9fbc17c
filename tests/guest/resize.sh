#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The share of the carve-out shrinks and grows, and the device grows, while the device is in
# use: first while fio verifies, then while it is swap and tagged memory moves.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

load
carveout=$(attr tag_storage/size)
static=$(attr tag_storage/blocks_tagged)

# The shares to go through: two that fit if objects move together, one that may not fit, and
# the whole carve-out, twice.
sizes()
{
	local used=$(($(attr tag_storage/blocks_used) * $(attr tag_storage/block_size)))

	echo $((used * 15 / 16)) "$carveout" $((used / 2)) $((used * 7 / 8)) "$carveout"
}

# The device grows by 1 MiB, for which the table of all slots is copied. Starts no process.
grow()
{
	local size

	read -r size <"$SYS/disksize"
	echo $((size + (1 << 20))) >"$SYS/disksize"
}

# resize_often PROGRESS...: shrinks and grows the share, and grows the device. After each
# round runs the command PROGRESS, which waits until the load has done more of its work, and
# fails if the load has ended.
resize_often()
{
	local size output round done=0 refused=0 grown=0

	for ((round = 0; round < 4 || (round < 20 && (done < 10 || !refused)); round++)); do
		for ((i = 0; i < 5; i++)); do
			grow || return
			grown=$((grown + 1))
		done
		for size in $(sizes); do
			output=$(mtetagramctl resize "$size" 2>&1)
			case $? in
			0) done=$((done + 1)) ;;
			5) refused=$((refused + 1)) ;;	# does not fit
			*)
				echo "$output"
				return 1
				;;
			esac
		done
		"$@" || { note "the load has ended"; return 1; }
	done
	note "$done times resized, $refused times refused, $(attr hook/relocated) objects moved," \
		"$grown times grown, to $(attr disksize)"
	# The next part begins with the whole share.
	mtetagramctl resize 100% && ((done >= 10 && refused >= 1))
}

# Returns when fio has read more.
fio_progress()
{
	local before

	before=$(reads_done)
	while (($(reads_done) == before)); do
		kill -0 "$fio" 2>/dev/null || return
	done
}

reads_done()
{
	awk '{ print $1 }' "$SYS/stat"
}

# with_fio OPTION...: becomes fio. While the share shrinks to the size of the data, nothing
# may be written: the driver would rightly refuse the write.
with_fio()
{
	exec fio --name=verify --filename="$DEV" --direct=1 --ioengine=psync --size="$carveout" \
		--bs=4k --verify=crc32c --verify_fatal=1 --buffer_compress_percentage=70 \
		--refill_buffers --thread --output=/tmp/fio.out "$@"
}

set_up 64M
# A third of the data is discarded, and leaves holes: then there are objects to move.
check "fio writes" with_fio --rw=randwrite --do_verify=0 --size=$((carveout * 3 / 2))
check "discard a part of it" blkdiscard -o "$carveout" -l $((carveout / 2)) "$DEV"
# fio reads until a signal ends it. If all was right, the status is that of the signal.
with_fio --rw=randread --time_based --runtime=30d &
fio=$!
check_loudly "resize often while fio verifies" resize_often fio_progress
kill -TERM $fio
wait $fio
check_is "fio's data is right" 128 $? || tail -n 20 /tmp/fio.out
check_that "objects have moved" "$(attr hook/relocated) > 0"
last=$(($(attr disksize) / 4096 - 1))
check "the last new slot can be written" slots write "$DEV" --from $last --content half
check "the last new slot is right" slots verify "$DEV" --from $last --content half
check "discard" blkdiscard "$DEV"
check_empty

set_up $((carveout * 8))
swap_on "$DEV"
area=$(awk -v dev=$DEV '$1 == dev { print $3 }' /proc/swaps)
load_start proof proof --procs 2 --mem $((carveout * 4)) --swap-bulk --tagged-percent 10 \
	--active-percent 20 --endless
check_loudly "resize often while swap and tags are in use" resize_often load_progress proof
load_stop proof
check_is "every byte and every tag is right" 0 $?
load_output proof
check_is "the swap area is as large as before" "$area" \
	"$(awk -v dev=$DEV '$1 == dev { print $3 }' /proc/swaps)"
check_that "the device is larger" "$(attr disksize) > $carveout * 8"
check "swapoff" swapoff "$DEV"
check_empty_after_swap
check_balance "$static"
finish
