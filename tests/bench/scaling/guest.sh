#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh COMMAND ARGUMENT...: in the guest, with the modules of the pool's benchmark in
# the current directory. Prints lines "bench NAME NUMBER...".
#
#   sizes MIB,REAL,PEER...  the pool and zsmalloc with arenas of these sizes: MIB.PHASE and
#                           what the module says of it
#   cpus ROUNDS PAGES       mtetagram and zram, in turns: CPUS.WAY.ROUND, the number of turns,
#                           and quartiles of the ratio of their times, in thousandths
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

# A fresh device. Each device may use as much memory as the other one.
set_up_device()
{
	local sys=/sys/block/$1

	echo 1 >"$sys/reset"
	echo lz4 >"$sys/comp_algorithm"
	echo $SIZE >"$sys/disksize"
	if [[ $1 == zram0 ]]; then
		attr tag_storage/size >"$sys/mem_limit"
	fi
}

cpus()
{
	local rounds=$1 pages=$2 round nr way

	load
	insmod block_bench.ko || bail "no block_bench"
	bench corpus "$PWD/corpus"
	for ((round = 0; round < rounds; round++)); do
		for nr in 1 2 4; do
			set_up_device mtetagram0
			set_up_device zram0
			bench open /dev/mtetagram0
			bench write 4000 corpus
			bench mirror /dev/zram0
			for way in write read; do
				bench threads "$pages" $way $nr
				echo "bench $nr.$way.$round $(sed -E 's/[a-z]+=//g' $RUN)"
			done
			bench verify
			bench close
		done
	done
}

modprobe zram || bail "no zram"
"$@"
