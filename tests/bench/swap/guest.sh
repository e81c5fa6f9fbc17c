#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh ROUNDS DEVICE...: in the guest, does the same work with each device in turn. The work
# runs in a memory control group that is too small for it, so that it swaps to the device:
# mtetagram0, zram0, or disk, which is a file on the guest's virtio disk. Prints lines "bench
# NAME.DEVICE VALUE...".
# shellcheck source=tests/guest/lib.sh
. /mtetagram/tests/lib.sh

LOAD=/mtetagram/files/swapload
CORPUS=/mtetagram/files/corpus
SWAPFILE=/swapfile
SIZE=96M

# MiB of the group, stressor, number of workers, options. Each stressor has a fixed amount of
# work, and verifies its data if it can. 64 workers of brk need 14 MiB together, and one worker
# swaps nothing in a group of 32 MiB: so there are many workers in a smaller group. Most pages
# of bigheap are zeros, which the swap core keeps as bits: they fault, but hardly reach the
# device. Other methods of vm lock or populate more memory than the group may have.
stressors=(
	"32 vm 1 --vm-bytes 40M --vm-keep --vm-method modulo-x --vm-ops 6000 --verify"
	"32 pageswap 1 --pageswap-ops 3000"
	"32 madvise 1 --madvise-ops 10"
	"32 bigheap 1 --bigheap-growth 1M --bigheap-ops 60"
	"12 brk 64 --brk-ops 64000"
)

# See tests/bench/fio/guest.sh.
read_programs()
{
	local spinner program

	chrt -i 0 bash -c 'while :; do :; done' &
	spinner=$!
	stress-ng --vm 1 --vm-bytes 1M --vm-ops 1 --verify >/dev/null 2>&1 ||
		bail "stress-ng does not work"
	for program in $LOAD awk cat swapon swapoff mkswap sed sync; do
		cat "$(type -P "$program")" >/dev/null || bail "no $program"
	done
	cat $CORPUS >/dev/null
	mkswap --version >/dev/null
	kill $spinner
}

# start DEVICE: makes the device the only swap.
start()
{
	local sys=/sys/block/$1 path=/dev/$1

	if [[ $1 == disk ]]; then
		path=$SWAPFILE
		[[ -e $path ]] || dd if=/dev/zero of=$path bs=1M count=${SIZE%M} status=none
		chmod 600 $path
	else
		echo 1 >"$sys/reset"
		echo lz4 >"$sys/comp_algorithm"
		echo $SIZE >"$sys/disksize"
		[[ $1 != zram0 ]] || attr tag_storage/size >"$sys/mem_limit"
	fi
	mkswap "$path" >/dev/null 2>&1 || bail "mkswap $path"
	swapon "$path" || bail "swapon $path"
	used=$path
}

counters()
{
	awk '/^pgmajfault |^pswpin |^pswpout / { printf "%s ", $2 }' /proc/vmstat
	sed -n 's/^some.*total=//p' $GROUP/memory.pressure
}

# in_group MIB NAME COMMAND...: runs the command in a new group. Prints nanoseconds, how many of
# them on a processor, the largest size of the group, and the counters.
in_group()
{
	local mib=$1 name=$2 before after start end cpu status=0 i

	shift 2
	mkdir $GROUP
	echo "${mib}M" >$GROUP/memory.max
	read -ra before < <(counters | tr '\n' ' ')
	start=${EPOCHREALTIME/./}
	"$@" >/tmp/out 2>/tmp/err || status=$?
	end=${EPOCHREALTIME/./}
	read -ra after < <(counters | tr '\n' ' ')
	if ! grep -qx "oom_kill 0" $GROUP/memory.events; then
		out_of_memory
		in_group "$mib" "$name" "$@"
		return
	fi
	((status == 0)) || bail "$name: $(tail -n 3 /tmp/err)"
	for i in "${!after[@]}"; do
		after[i]=$((after[i] - before[i]))
	done
	cpu=$(sed -n "s|^usage_usec ||p" $GROUP/cpu.stat)
	echo "bench $name.$device.$round $(((10#$end - 10#$start) * 1000)) $((cpu * 1000))" \
		"$mib ${after[*]}"
	rmdir $GROUP
}

# A process was killed. In most rounds this happens once to the compile-like program while it
# swaps to a disk. The work is done again then, but not for ever.
out_of_memory()
{
	kills=$((kills + 1))
	if [[ $device != disk ]] || ((kills > 10)); then
		bail "$name: out of memory on $device"
	fi
	echo "# $name: out of memory on $device, once more"
	echo 1 >$GROUP/cgroup.kill
	until rmdir $GROUP 2>/dev/null; do :; done
}

# The stressor madvise would poison its memory. It runs without the right to do that.
# shellcheck disable=SC2317 # called by name
stress()
{
	# shellcheck disable=SC2016 # for the other shell
	bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' $GROUP \
		setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin stress-ng --oomable \
		--temp-path /tmp --seed 1 --timeout 0 "$@"
}

load
modprobe zram || bail "no zram"
GROUP=/sys/fs/cgroup/bench
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
# With random addresses bigheap had 106 or 12,134 major faults, by chance.
echo 0 >/proc/sys/kernel/randomize_va_space
read_programs
rounds=$1
kills=0
shift
for ((round = 0; round < rounds; round++)); do
	for device; do
		start "$device"
		in_group 32 faults $LOAD $GROUP $CORPUS faults 56 3000
		echo "bench latency.$device.$round $(</tmp/out)"
		in_group 32 compile $LOAD $GROUP $CORPUS compile 40 2
		for line in "${stressors[@]}"; do
			read -ra words <<<"$line"
			in_group "${words[@]:0:2}" stress "--${words[1]}" "${words[@]:2}"
		done
		swapoff "$used" || bail "swapoff $used"
	done
done
