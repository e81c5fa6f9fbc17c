#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The device as a disk: slots in any order, size and alignment; full and freed again;
# ext4 on it; fio's verification with each algorithm.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

load
carveout=$(attr tag_storage/size)
algorithms=$(attr comp_algorithm | tr -d '[]')

unwritten()
{
	set_up 64M
	check "unwritten slots read as zeros" slots verify "$DEV" --content zero --count 16384 \
		--batch 64
	check_empty
}

# The same slots with all sizes of I/O and alignments of buffers. The block layer demands
# an alignment of 512 bytes for this device.
alignment()
{
	local misalign batch

	for misalign in 0 512 1536 3584; do
		for batch in 1 3 32; do
			check "write $batch slots at once from a buffer at $misalign" \
				slots write "$DEV" --count 2048 --batch $batch --step 5 \
				--misalign $misalign --seed $((misalign + batch))
			check "read them into an aligned buffer" slots verify "$DEV" \
				--count 2048 --batch 16 --seed $((misalign + batch))
			check "read them into that buffer" slots verify "$DEV" --count 2048 \
				--batch $batch --misalign $misalign --seed $((misalign + batch))
		done
	done
}

contents()
{
	check "write 1000 pages filled with a pattern" slots write "$DEV" --from 4096 \
		--count 1000 --content fill --batch 8
	check_that "they are counted as same-filled" "$(mm_stat same_pages) >= 1000"
	check "discard all" blkdiscard "$DEV"
	check_empty
	check "write 500 incompressible pages" slots write "$DEV" --count 500 --content random
	check_is "they are counted as incompressible" 500 "$(mm_stat huge_pages)"
	check "read the incompressible pages" slots verify "$DEV" --count 500 --content random
	check "write 500 compressible pages over them" slots write "$DEV" --count 500 \
		--content quarter --batch 4
	check_is "none is counted as incompressible" 0 "$(mm_stat huge_pages)"
	check_that "memory is saved" "$(mm_stat compr_data_size) * 2 < $(mm_stat orig_data_size)"
	check "write zeros over them" slots write "$DEV" --count 500 --content zero
	check_is "zeros need no memory" 0 "$(attr tag_storage/blocks_used)"
	check "the slots read as zeros" slots verify "$DEV" --count 500 --content zero
	check "discard these slots" blkdiscard -l $((500 * 4096)) "$DEV"
	check_empty
}

full()
{
	local written refused

	set_up $((carveout * 2))
	written=$(slots fill "$DEV" --count $((carveout / 2048)) --content random) ||
		bail "filling the device: $written"
	note "$((written * 4)) KiB of $((carveout >> 10)) KiB hold incompressible data"
	# Raw pages leave no gaps. Kept blocks and headroom take at most 1/8 and 1/16.
	check_that "most of the tag storage can be used" "$written * 4096 > $carveout * 8 / 10"
	refused=$(attr failed_writes/no_space)
	check_that "the cause of the refused write is counted" "$refused > 0"
	check "further writes fail cleanly" slots full "$DEV" --from $((written + 1)) --count 200 \
		--content random
	check_is "each refused write is counted" $((refused + 200)) "$(attr failed_writes/no_space)"
	check_that "io_stat counts each refused write" "$(awk '{print $2}' "$SYS/io_stat") == $refused + 200"
	check "all written slots are right" slots verify "$DEV" --count "$written" \
		--content random --batch 32
	check "slots that were refused read as zeros" slots verify "$DEV" \
		--from "$written" --count 200 --content zero
	check "a full device can be rewritten" slots write "$DEV" --count "$written" \
		--content random --seed 2
	check "the new data is right" slots verify "$DEV" --count "$written" --content random --seed 2 \
		--batch 8
	check "a full device can be rewritten with data that compresses better" slots write "$DEV" --count "$written" \
		--content half --seed 3 --batch 8
	check "the data that compresses better is right" slots verify "$DEV" --count "$written" --content half --seed 3 \
		--batch 128
	check "discard" blkdiscard "$DEV"
	check_empty
	check "after the discard all of it can be written again" slots write "$DEV" --count "$written" \
		--content random --seed 4
	check "all of it is right" slots verify "$DEV" --count "$written" --content random --seed 4 \
		--batch 32
}

# Files whose contents follow from their number.
write_files()
{
	local i

	for ((i = 0; i < 60; i++)); do
		slots_file "/mnt/file$i" "$i" write || return 1
	done
}

slots_file()
{
	[[ $3 != write ]] || truncate -s 256K "$1" || return 1
	slots "$3" "$1" --count 64 --batch 8 --seed "$2" --misalign 512
}

verify_files()
{
	local i

	for ((i = 0; i < 60; i += $1)); do
		slots_file "/mnt/file$i" "$i" verify || return 1
	done
}

file_system()
{
	local before

	set_up $((carveout * 2))
	check "mkfs.ext4" mkfs.ext4 -q -b 4096 "$DEV"
	check "mount" mount -t ext4 "$DEV" /mnt || return
	check "write files" write_files
	check "verify them" verify_files 1
	check "unmount" umount /mnt
	check "fsck" fsck.ext4 -f -n "$DEV"
	check "mount again" mount -t ext4 "$DEV" /mnt || return
	check "verify them again" verify_files 1
	for ((i = 1; i < 60; i += 2)); do
		rm /mnt/file$i
	done
	sync
	before=$(mm_stat orig_data_size)
	check "fstrim" fstrim /mnt
	check_that "fstrim frees slots" "$(mm_stat orig_data_size) <= $before - 25 * 256 * 1024"
	check "the other files are as they were" verify_files 2
	check "unmount" umount /mnt
	check "mount with discard" mount -t ext4 -o discard "$DEV" /mnt || return
	before=$(mm_stat orig_data_size)
	rm /mnt/file0 /mnt/file2 /mnt/file4 /mnt/file6
	sync
	check_that "removing files frees slots" "$(mm_stat orig_data_size) < $before"
	check "the device grows while the file system is mounted" set_attr disksize $((carveout * 5 / 2))
	before=$(stat -f -c %b /mnt)
	check "unmount" umount /mnt
	check "fsck" fsck.ext4 -f -n "$DEV"
	# resize2fs writes to the device, which this kernel does not allow while it is mounted.
	check "the file system grows" resize2fs -f "$DEV"
	check "mount" mount -t ext4 -o discard "$DEV" /mnt || return
	check_that "the file system is larger" "$(stat -f -c %b /mnt) > $before * 6 / 5"
	for i in 0 2 4 6; do
		check "write file $i again" slots_file "/mnt/file$i" $i write
	done
	check "all files are right" verify_files 2
	check "unmount" umount /mnt
	check "fsck" fsck.ext4 -f -n "$DEV"
}

fio_verify()
{
	# The data is half as large as the carve-out, and fits into it.
	check "fio $*" fio --name=verify --filename="$DEV" --direct=1 --ioengine=psync \
		--size=$((carveout / 2)) --verify=crc32c --verify_fatal=1 --do_verify=1 \
		--buffer_compress_percentage=60 --refill_buffers --randrepeat=1 \
		--thread --output=/tmp/fio.out "$@" || tail -n 20 /tmp/fio.out
}

with_fio()
{
	local algorithm bs

	for algorithm in $algorithms; do
		set_up 64M "$algorithm"
		for bs in 4k 16k 128k; do
			fio_verify --rw=randwrite --bs=$bs
		done
		fio_verify --rw=write --bs=64k --iomem_align=512
		fio_verify --rw=randwrite --bsrange=4k-128k --bs_unaligned=0
		check "nothing failed with $algorithm" test "$(awk '{print $1 + $2}' "$SYS/io_stat")" = 0
	done
}

unwritten
alignment
contents
full
file_system
with_fio
check "reset" set_attr reset 1
check_empty
finish
