#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tool in a real guest: it sets the device up as swap; the output of status, map and
# stats agrees with the kernel; a resize finds the exact bound; watch shows live rates; a
# drain ends while tagged memory is swapped, and every byte is verified.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

group=/sys/fs/cgroup/ctl
files=/dev/shm
tracing=/sys/kernel/tracing

show()
{
	"$@" 2>&1 | sed 's/^/# /'
}

# ctl STATUS TEXT ARGUMENT...: mtetagramctl must end with STATUS, and print TEXT.
ctl()
{
	local status=$1 text=$2 output got=0

	shift 2
	output=$(mtetagramctl "$@" 2>&1) || got=$?
	if [[ $got == "$status" ]] && [[ $output == *"$text"* ]]; then
		pass "mtetagramctl $*: $status, '$text'"
		return
	fi
	note "wanted $status and '$text', got $got and '$output'"
	fail "mtetagramctl $*"
}

column()
{
	mtetagramctl status --raw --noheadings --bytes --output "$1"
}

# Files in memory that are sent to swap: some that compress, and zeros.
swap_files()
{
	echo +memory >"${group%/*}/cgroup.subtree_control"
	mkdir "$group" && echo "$BASHPID" >"$group/cgroup.procs" || return
	seq 2000000 | head -c 12M >"$files/text"
	head -c 4M /dev/urandom >"$files/noise"
	head -c 8M /dev/zero >"$files/zeros"
	to_swap
}

# Swaps out all memory of the group. The write fails when nothing is left to swap out.
to_swap()
{
	echo 32M 2>/dev/null >"$group/memory.reclaim" || :
}

# Numbers that a list such as "0-3,17" stands for.
in_list()
{
	mtetagramctl map --list | awk -v state="$1" '$1 == state {
		n = split($2, ranges, ",")
		for (i = 1; i <= n; i++) {
			m = split(ranges[i], ends, "-")
			sum += m == 2 ? ends[2] - ends[1] + 1 : 1
		}
		print sum + 0
	}'
}

plain()
{
	! LC_ALL=C grep -q '[^ -~]' "$1" || { LC_ALL=C grep '[^ -~]' "$1" | cat -v; return 1; }
}

sample()
{
	sed -n "s/^mtetagram_$1{device=\"mtetagram0\"${2:-}} //p" /tmp/stats.prom
}

ctl 3 "the driver is not loaded" status
load
static=$(attr tag_storage/blocks_tagged)
show mtetagramctl status
ctl 0 "swap with priority 100" setup --swap
ctl 4 "set up already" setup
check_is "the device is swap" 100 "$(awk -v dev=$DEV '$1 == dev { print $5 }' /proc/swaps)"

check "files go to swap" bash -c "$(declare -f swap_files to_swap); group=$group files=$files swap_files"
sums=$(cd $files && sha256sum ./*)
to_swap
note "at rest:"
show mtetagramctl status
check_that "swap is in use" "$(column SWAP-USED) > 8 << 20"
check_that "the kernel has filtered zeros" \
	"$(awk '$1 == "swpout_zero" { print $2 }' /proc/vmstat) >= 2048"
check_that "status counts the zeros" "$(column ZERO) >= 8 << 20"
check_is "swap used is the data without the header, and the zeros" \
	"$(column SWAP-USED)" $(($(column DATA) - 4096 + $(column ZERO)))
check_is "swap used is the number of /proc/swaps" \
	"$(awk -v dev=$DEV '$1 == dev { print $4 * 1024 }' /proc/swaps)" "$(column SWAP-USED)"
check_that "objects take at least their compressed size, at most their blocks" \
	"$(column COMPR) < $(column USED-SIZE) && $(column USED-SIZE) <= $(column USED)"

for state in free used tagged; do
	name=${state/used/data}
	check_is "the map has all blocks that are $state" "$(attr tag_storage/blocks_$state)" \
		"$(in_list "${name/tagged/tags}")"
done
mtetagramctl map >/tmp/map
sed 's/^/# /' /tmp/map
check "the map is plain text if it goes to a file" plain /tmp/map
check "the map has colours with --color" grep -q $'\033\\[32m8' <(mtetagramctl map --color)
check "the map as a picture" mtetagramctl map --svg --output /tmp/map.svg
check_is "the picture is whole" '</svg>' "$(tail -n 1 /tmp/map.svg)"
check_is "the picture has a square for each cell" "$(wc -c <$SYS/tag_storage/block_map)" \
	"$(mtetagramctl map --svg -g1 | grep '^<path' | grep -o 'M[0-9]* [0-9]*h8v8h-8z' | wc -l)"
check_fails_with "the map is for root alone" "run this as root" \
	setpriv --reuid 65534 --clear-groups "$(command -v mtetagramctl)" map
check_fails_with "drain is for root alone" "run this as root" \
	setpriv --reuid 65534 --clear-groups "$(command -v mtetagramctl)" drain

check "statistics for Prometheus" mtetagramctl stats --prometheus --output /tmp/stats.prom
check "the statistics are in the format of Prometheus" awk -f "$(dirname "$0")/prometheus.awk" /tmp/stats.prom
check_is "the statistics have the right numbers" \
	"$(attr tag_storage/blocks_used) $(column DATA) $(attr hook/reserved) 1" \
	"$(sample blocks ',state="data"') $(sample data_bytes) $(sample reserved_pages_total) $(sample info ',algorithm="lz4",state="swap"')"

# The message of a refused resize names the smallest share that fits, and a share that does
# not. Each of these is tried.
message=$(mtetagramctl resize 64K 2>&1)
check_is "too small a size is refused" 5 $?
note "$message"
fits=$(sed -n 's/.*fits into \([0-9]*\)K now, but.*/\1/p' <<<"$message")
refused=$(sed -n 's/.*but not into \([0-9]*\)K;.*/\1/p' <<<"$message")
check_that "the bounds are close" "fits > refused && fits - refused < fits / 50"
check_is "the share is as before" "$(attr tag_storage/size)" "$(attr tag_storage/share)"
ctl 0 "" resize "${fits}K"
ctl 5 "but not into ${refused}K" resize "${refused}K"
check_that "used blocks are within the share" "$(column USED) <= $fits * 1024"
ctl 0 "-> " limit 100%
ctl 0 "memory limit 1M" limit --mem-limit 1M
check_is "the memory limit is set" $((1 << 20)) "$(mm_stat mem_limit)"
ctl 0 "memory limit none" limit --mem-limit 0

# The device grows while files are in swap. The swap area grows only with --swap.
size=$(column SIZE)
ctl 4 "cannot shrink to 1M" resize --size 1M
ctl 0 "the swap area on it stays" resize --size $((size + (8 << 20)))
check_is "the device is larger" $((size + (8 << 20))) "$(column SIZE)"
check_is "the swap area is not larger" $((size - 4096)) "$(column SWAP-SIZE)"
ctl 0 "swap again, with all of it" resize --size $((size + (16 << 20))) --swap
check_is "with --swap the swap area is larger" "$((size + (16 << 20) - 4096)) 100" \
	"$(column SWAP-SIZE) $(column SWAP-PRIO)"
check_is "every file is as before" "$sums" "$(cd $files && sha256sum ./*)"
to_swap
check_that "the files are in swap again" "$(column SWAP-USED) > 8 << 20"

# The recipe for tracefs in the administrator's guide.
written=$(column WRITTEN)
evicted=$(attr hook/evicted)
echo >$tracing/trace
echo 1 >$tracing/events/mtetagram/mtetagram_evict/enable
load_start proof proof --procs 2 --mem 16M --tagged-percent 30 --active-percent 50 --endless
mtetagramctl watch --count 4 --interval 0.4 >/tmp/watch
check_is "watch ended by itself" 0 $?
show cat /tmp/watch
check_is "watch prints a heading and four lines" 5 "$(wc -l </tmp/watch)"
check "plain text" plain /tmp/watch
# Until the load swaps a page out between two lines of watch.
check "the rate says when pages are swapped out" \
	grep -m 1 -vE '^([^ ]+ +){8}(OUT/s|0B) ' <(exec mtetagramctl watch --interval 0.1)
check_that "pages were swapped out" "$(column WRITTEN) > $written"

mtetagramctl drain --progress >/tmp/drain 2>&1
check_is "drain under load" 0 $?
check "the load was there to the end" load_progress proof
show tail -n 4 /tmp/drain
check_is "no block is in use" 0 "$(attr tag_storage/blocks_used)"
check_is "the share is 0" 0 "$(attr tag_storage/share)"
check_fails_with "the device is no longer swap" "" grep $DEV /proc/swaps
refused=$(attr failed_writes/no_space)
check_fails_with "new data is refused" "" \
	dd if=/dev/urandom of=$DEV bs=4k count=1 oflag=direct status=none
check_is "the cause is no_space" $((refused + 1)) "$(attr failed_writes/no_space)"
check_is "status warns" drained "$(column WARNINGS)"
load_stop proof
check_is "every byte and every tag of the load was right" 0 $? || show load_output proof
echo 0 >$tracing/events/mtetagram/mtetagram_evict/enable
show tail -n 2 $tracing/trace
# shellcheck disable=SC2016 # for awk
show awk '/mtetagram_evict:/ { sub(/.* ns=/, ""); n[length($1)]++ }
	END { for (d in n) print n[d], "blocks were emptied in", d, "digits of ns" }' $tracing/trace
check_that "blocks were emptied for tags" "$(attr hook/evicted) > $evicted"
# Not each event is of the load: the kernel may migrate the pages of the load, and a trace
# does not know the name of each process.
event='\[[0-9]+\] .* [0-9]+\.[0-9]+: mtetagram_evict: region=0 block=[0-9]+ ns=[1-9][0-9]* error=0$'
check_is "the trace has each evicted block, with process and time" $(($(attr hook/evicted) - evicted)) \
	"$(grep -cE "^ +.+-[0-9]+ +$event" $tracing/trace)" ||
	show grep -vE "^ +.+-[0-9]+ +$event" $tracing/trace
check "the trace has events of the load" grep -qE "^ +proof-[0-9]+ +$event" $tracing/trace
check_is "after the drain every file is as before" "$sums" "$(cd $files && sha256sum ./*)"
ctl 0 "drained: 0B" drain
ctl 0 "" reset
ctl 0 "swap with priority 5" setup --swap --priority 5
check "swapoff" swapoff $DEV
check_balance "$static"

# Tag storage is overwritten. The tool shows that the device has stopped before a write fails.
set_up 16M
check "write" slots write $DEV --count 200 --content text
check_is "all is well" "ok 0 -" "$(attr tag_storage/state) $(column STOPPED) $(column WARNINGS)"
check "tag storage is overwritten" modprobe mtetagram_provoke damage=1
check_fails_with "reading finds it" "Input/output error" \
	slots verify $DEV --count 200 --content text
check_is "the device has stopped" "stopped 1 stopped" \
	"$(attr tag_storage/state) $(column STOPPED) $(column WARNINGS)"
check_is "no write has failed yet" "0 0" "$(column FAILED-WRITES) $(column FAIL-STOPPED)"
check "status says what to do" grep -q "warning: stopped: .*mtetagramctl reset $DEV" \
	<(mtetagramctl status)
check_fails_with "a write fails" "Input/output error" \
	slots write $DEV --from 300 --content text
check_is "the failed write is counted under its cause" "1 1" "$(column FAILED-WRITES) $(column FAIL-STOPPED)"
mtetagramctl stats --prometheus --output /tmp/stats.prom
check_is "the statistics for Prometheus say the same" "1 1" \
	"$(sample stopped) $(sample failed_writes_total ',cause="stopped"')"
ctl 0 "" reset
check_is "a reset ends it" "ok 0 -" \
	"$(attr tag_storage/state) $(column STOPPED) $(column WARNINGS)"
check "the device can be written" set_attr disksize 16M
check "the slots can be written" slots write $DEV --count 200 --content text
check "rmmod" rmmod mtetagram_provoke
finish
