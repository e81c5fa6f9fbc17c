#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: times page faults, with the device full of data where there is one.
# Prints lines "bench NAME VALUE..." for ./run.
# shellcheck source=tests/guest/lib.sh
. /mtetagram/tests/lib.sh

LOAD=/mtetagram/files/load
PAGES=1024 LOOPS=41

ours()
{
	[ -e /sys/kernel/debug/mtetagram ]
}

counters()
{
	if ours; then
		echo "$(attr reserve/reserved) $(attr reserve/vacated) $(attr tag_storage/blocks_tagged)"
	fi
}

# faults NAME KIND
faults()
{
	local name=$1 what output before after

	before=$(counters)
	output=$($LOAD fault "$2" $PAGES $LOOPS) || bail "load fault $2"
	after=$(counters)
	for what in fault free; do
		echo "bench $name-$what $(sed -n "s/^$2-$what //p" <<<"$output" | tr '\n' ' ')"
	done
	echo "bench $name-counters $before $after"
}

# The huge page daemon wants so much free that little would be left.
echo 4096 >/proc/sys/vm/min_free_kbytes
if ours; then
	set_up 600M
	# Real files, until no more can be taken.
	dd if=/dev/vda of=$DEV bs=1M iflag=direct oflag=direct status=none 2>/dev/null
	echo "bench used $(attr tag_storage/blocks_used) $(attr tag_storage/blocks)"
else
	dd if=/dev/vda of=/dev/null bs=1M count=40 iflag=direct status=none
fi
echo "bench pages $PAGES"
for kind in plain shmem fork; do
	faults $kind $kind
done
# From here on each block of tag storage has a tagged page.
exec 3< <(exec $LOAD hold 32 $((24 << 20)))
holder=$!
read -ru 3 line
echo "bench held ${line//[a-z]/}"
$LOAD fault mte $PAGES 8 >/dev/null
faults mte mte
kill $holder
