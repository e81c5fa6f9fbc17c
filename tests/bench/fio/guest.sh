#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh POINTS: in the guest, runs fio on mtetagram and on zram, in turns. A line of
# the file POINTS is: name, algorithm, fio options of all I/O, "---", options of what is
# measured. Both devices have as much memory, hold 16 MiB of such data before, and are
# made anew for each point. Prints lines "bench NAME.DEVICE" with, for reads and
# writes each, mean ns of an operation, operations and the 99th percentile, and the
# milliseconds of all.
# shellcheck source=tests/guest/lib.sh
. /mtetagram/tests/lib.sh

SIZE=16M
FIO=(fio --name=bench --size="$SIZE" --direct=1 --ioengine=psync --thread
	--refill_buffers --output-format=json)

# With counted time an idle processor leaps to its next timer, even if the disk is not ready:
# something has to run while programs are read into the page cache.
read_programs()
{
	local spinner

	chrt -i 0 bash -c 'while :; do :; done' &
	spinner=$!
	"${FIO[@]}" --ioengine=null --verify=crc32c --numjobs=2 --rw=randrw \
		--number_ios=1 >/dev/null || bail "fio does not work"
	cat "$(type -P awk)" "$(type -P cat)" >/dev/null || bail "no awk, no cat"
	kill $spinner
}

# set_up_device NAME ALGORITHM
set_up_device()
{
	local sys=/sys/block/$1

	echo 1 >"$sys/reset"
	echo "$2" >"$sys/comp_algorithm"
	echo $SIZE >"$sys/disksize"
	if [[ $1 == zram0 ]]; then
		attr tag_storage/size >"$sys/mem_limit"
	fi
}

# run DEVICE OPTION...: the numbers that fio measures
run()
{
	local device=$1

	shift
	"${FIO[@]}" --filename="/dev/$device" "$@" >/tmp/fio.json || bail "fio $*"
	awk '/^ *"(read|write|trim|sync)" :/ { gsub(/[" ]/, "", $1); way = $1 }
		/"(slat|clat|lat)_ns" :/ { gsub(/"/, "", $1); clock = $1 }
		/"mean" :/ && clock == "lat_ns" { mean[way] = $3 + 0; clock = "" }
		/"99.000000" :/ && clock == "clat_ns" { high[way] = $3 + 0 }
		/"total_ios" :/ && !(way in ios) { ios[way] = $3 + 0 }
		/"runtime" :/ { time = $3 > time ? $3 + 0 : time }
		/"error" :/ && $3 + 0 { exit 1 }
		END { print mean["read"], ios["read"], high["read"] + 0, mean["write"],
			ios["write"], high["write"] + 0, time }' /tmp/fio.json
}

load
modprobe zram || bail "no zram"
read_programs
while read -r name algorithm options; do
	read -ra all <<<"${options%%--- *}"
	read -ra measured <<<"${options##*--- }"
	for device in mtetagram0 zram0; do
		set_up_device $device "$algorithm"
		run $device --rw=write --bs=128k "${all[@]}" >/dev/null
		echo "bench $name.$device $(run $device "${all[@]}" "${measured[@]}")"
	done
done <"$1"
