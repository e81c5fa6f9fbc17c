#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh COMMAND ARGUMENT...: in the guest, with the modules of the pool's benchmark in
# the current directory. Prints lines "bench NAME NUMBER...".
#
#   sizes MIB,REAL,PEER...  the pool and zsmalloc with arenas of these sizes: MIB.PHASE and
#                           what the module says of it
#   cpus ROUNDS PAGES       mtetagram and zram, in turns: CPUS.WAY.ROUND.DEVICE and the ns
#                           of a turn, the median of so many pages
# shellcheck source=tests/guest/lib.sh
. /mtetagram/tests/lib.sh

RUN=/sys/module/block_bench/parameters/run
SIZE=64M

sizes()
{
	local run=/sys/module/pool_bench/parameters/run point

	insmod pool_bench.ko || bail "no pool_bench"
	echo "corpus $PWD/corpus" >$run || bail "no corpus"
	for point; do
		echo "scale lz4 ${point//,/ }" >$run || bail "scale $point: $(<$run)"
		sed -E "/./!d; s/[a-z0-9]+=//g; s/^/bench ${point%%,*}./" $run
	done
}

# bench WORD...: one command of the module block_bench
bench()
{
	echo "$*" >$RUN || bail "$*"
	[[ ! $(<$RUN) =~ errors?=[^0] ]] || bail "$*: $(<$RUN)"
}

# A fresh device that holds pages, as much memory for both
set_up_device()
{
	local sys=/sys/block/$1

	echo 1 >"$sys/reset"
	echo lz4 >"$sys/comp_algorithm"
	echo $SIZE >"$sys/disksize"
	if [[ $1 == zram0 ]]; then
		attr tag_storage/size >"$sys/mem_limit"
	fi
	bench open "/dev/$1"
	bench write 4000 corpus
}

cpus()
{
	local rounds=$1 pages=$2 devices=(mtetagram0 zram0) round nr device way

	load
	insmod block_bench.ko || bail "no block_bench"
	bench corpus "$PWD/corpus"
	for ((round = 0; round < rounds; round++)); do
		for nr in 1 2 4; do
			for device in "${devices[@]}"; do
				set_up_device $device
				for way in write read; do
					bench threads "$pages" $way $nr
					echo "bench $nr.$way.$round.$device $(sed -E 's/.*median=([0-9]+).*/\1/' $RUN)"
				done
				bench verify
				bench close
			done
		done
		devices=("${devices[1]}" "${devices[0]}")
	done
}

modprobe zram || bail "no zram"
"$@"
