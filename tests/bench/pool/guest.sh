#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest.sh COMMAND ALGORITHM...: in the guest, measures the same work with mtetagram and with
# zram. The modules and the pages are in the current directory. A line of output is: device,
# algorithm, measure, and name=value pairs. COMMAND is
#
#   speed OPERATIONS   time of each operation, on devices that hold 5,000 pages
#   density ROUNDS     memory used while they fill up, and when they are full and
#                      half of the pages are replaced, so many times
#   pool MIB           the pool against zsmalloc, without the block layer
set -euo pipefail

RUN=/sys/module/block_bench/parameters/run
SIZE=192M
SLOTS=$((192 << 8))
SEED=1

command=$1
number=$2
shift 2

# bench MEASURE WORD...: one command of the module block_bench.
bench()
{
	local measure=$1

	shift
	echo "$*" >$RUN
	echo "$device $algorithm $measure $(<$RUN)"
	[[ $(<$RUN) != *errors=* || $(<$RUN) == *errors=0 ]] || return 1
}

# A fresh device. Each device may use as much memory as the other one.
set_up()
{
	sys=/sys/block/$device
	echo 1 >"$sys/reset"
	echo "$algorithm" >"$sys/comp_algorithm"
	echo $SIZE >"$sys/disksize"
	if [[ $device == zram0 ]]; then
		cat /sys/block/mtetagram0/tag_storage/size >"$sys/mem_limit"
	fi
	bench open open "/dev/$device" $SEED
}

tear_down()
{
	bench verify verify
	bench close close
	echo 1 >"$sys/reset"
}

# The memory that the device takes for $1 pages: data and metadata. The statistics of zram do
# not count its metadata: 16 bytes for each slot, and in zsmalloc 8 bytes for each object and
# 56 bytes for each group of at most 8 pages.
memory()
{
	local stat used objects

	read -ra stat <"$sys/mm_stat"
	used=${stat[2]}
	objects=$((stat[0] / 4096 - stat[5]))
	if [[ $device == zram0 ]]; then
		echo $((used + SLOTS * 16 + objects * 8 + used * 56 / 32768))
	else
		echo $((used + $(<"$sys/tag_storage/metadata_size")))
	fi
}

say_density()
{
	local stat

	read -ra stat <"$sys/mm_stat"
	echo "$device $algorithm $1 stored=${stat[0]} used=${stat[2]} memory=$(memory)"
}

compact()
{
	[[ ! -w $sys/compact ]] || echo 1 >"$sys/compact"
}

# Fills the device until it refuses a page; then compacts the device, and fills it again.
fill()
{
	bench fill write $SLOTS corpus
	compact
	bench fill write $SLOTS corpus
}

density()
{
	local arena level=1 stat i

	arena=$(</sys/block/mtetagram0/tag_storage/size)
	while ((level < 4)); do
		bench fill write 200 corpus
		read -ra stat <"$sys/mm_stat"
		if ((stat[2] * 4 >= arena * level)); then
			say_density "level-$((25 * level))"
			level=$((level + 1))
		fi
	done
	fill
	say_density level-100
	for ((i = 1; i <= number; i++)); do
		replace_half
		say_density "churn-$i"
	done
	bench discard discard $(($(live) / 2))
	say_density half
	compact
	say_density half-compacted
}

replace_half()
{
	bench discard discard $(($(live) / 2))
	bench overwrite overwrite 1000 corpus
	fill
}

# How many pages the device holds, by the last line of the module.
live()
{
	sed -E 's/.*live=([0-9]+).*/\1/' $RUN
}

speed()
{
	bench prepare write 5000 corpus
	bench write write "$number" corpus
	bench read read "$number"
	bench overwrite overwrite "$number" corpus
	bench discard discard "$number"
	bench slot-free notify "$number"
}

# Pages that are not of the corpus, while the device holds no others.
speed_of()
{
	bench "write-$1" write "$number" "$1"
	bench "read-$1" read "$number"
	bench "overwrite-$1" overwrite "$number" "$1"
	bench "slot-free-$1" notify "$number"
}

pool()
{
	local run=/sys/module/pool_bench/parameters/run

	# The module zram also loads zsmalloc and the libraries for compression.
	modprobe zram
	insmod pool_bench.ko
	echo "corpus $PWD/corpus" >$run
	for algorithm; do
		echo "run $algorithm $number" >$run
		sed "/./s/^/pool $algorithm /" $run
	done
	rmmod pool_bench
}

if [[ $command == pool ]]; then
	pool "$@"
	exit
fi
modprobe mtetagram
modprobe zram
insmod block_bench.ko
echo "corpus $PWD/corpus" >$RUN
for algorithm; do
	for device in mtetagram0 zram0; do
		set_up
		$command
		tear_down
		[[ $command == speed ]] || continue
		for kind in random same; do
			set_up
			speed_of $kind
			tear_down
		done
	done
done
