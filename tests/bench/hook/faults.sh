#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: times page faults. A kernel with the driver has a device that is full of data.
# Prints lines "bench NAME VALUE..." for ./run.
# shellcheck source=tests/guest/lib.sh
. /mtetagram/tests/lib.sh

LOAD=/mtetagram/files/load
PAGES=1024 LOOPS=41

ours()
{
	[[ -e /sys/kernel/debug/mtetagram ]]
}

# faults KIND: prints, for each loop, how long the faults take, how long the freeing takes, and
# with the driver by how much each counter grew during the faults.
faults()
{
	local counters=(hook/reserved hook/evicted tag_storage/blocks_tagged)
	local output

	ours || counters=()
	output=$($LOAD fault "$1" $PAGES $LOOPS "${counters[@]/#/$SYS/}") || bail "load fault $1"
	awk -v kind="$1" '{ for (i = 1; i <= NF; i++) values[i] = values[i] " " $i }
		END {
			split("fault free reserved evicted tagged", name)
			for (i = 1; i <= NF; i++)
				print "bench " kind "-" name[i] values[i]
		}' <<<"$output"
}

# With huge pages, the kernel would keep so much memory free that little would be left.
echo 4096 >/proc/sys/vm/min_free_kbytes
if ours; then
	set_up 600M
	# Fills the device with files, until it takes no more.
	dd if=/dev/vda of=$DEV bs=1M iflag=direct oflag=direct status=none 2>/dev/null
	echo "bench used $(attr tag_storage/blocks_used) $(attr tag_storage/blocks)"
else
	dd if=/dev/vda of=/dev/null bs=1M count=40 iflag=direct status=none
fi
echo "bench pages $PAGES"
for kind in plain shmem fork; do
	faults $kind
done
# From here on each block of tag storage has a tagged page, which stays where it is.
echo 0 >/proc/sys/vm/compact_unevictable_allowed
exec 3< <(exec $LOAD hold 32 $((24 << 20)))
holder=$!
read -ru 3 line
echo "bench held ${line//[a-z]/}"
faults mte
kill $holder
