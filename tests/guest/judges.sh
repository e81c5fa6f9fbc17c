#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The programs proof, audit and slots judge the driver. Each of them must find an error
# that is made on purpose, and end with the status for that error.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

small=(--procs 2 --mem 8M --tagged-percent 40 --active-percent 40)

# status_is WANTED COMMAND...
status_is()
{
	local wanted=$1 status

	shift
	"$@"
	status=$?
	echo "status $status, wanted $wanted"
	[[ $status == "$wanted" ]]
}

# audit_with FILE TEXT: runs audit while FILE of the driver's record reads as TEXT.
audit_with()
{
	local status

	printf '%s\n' "$2" >/tmp/record
	mount --bind /tmp/record "$DEBUGFS/$1" || return 99
	audit
	status=$?
	umount "$DEBUGFS/$1"
	return "$status"
}

check "proof without an error" status_is 0 proof "${small[@]}"
check "one wrong bit of data" status_is 1 proof "${small[@]}" --inject data
check "one wrong tag" status_is 1 proof "${small[@]}" --inject tag
check "a worker that is killed" status_is 3 proof "${small[@]}" --inject kill
check "wrong usage" status_is 2 proof --no-such-option

load
reserved=$(cat "$DEBUGFS/reserved")
static=$(cat "$DEBUGFS/permanent")
check "audit with the true record" audit_with reserved "$reserved"
check "a page is reserved that has no tags" status_is 1 audit_with reserved "$reserved,300000"
check "the zero page is not reserved" status_is 1 audit_with reserved ""
check "a page is permanent that is not the zero page" status_is 1 \
	audit_with permanent "$static,300000"
# Pages with tags, held by a process, that the record does not know.
load_start proof proof "${small[@]}" --endless
check "pages have tags that are not reserved" status_is 1 audit_with reserved "$reserved"
load_stop proof
check_is "all bytes and tags of that load were right" 0 $?
check_fails_with "a load that has ended makes no progress" "" load_progress proof

set_up 16M
check "write" slots write "$DEV" --count 100 --seed 1
check "slots with the wrong contents" status_is 1 slots verify "$DEV" --count 100 --seed 2
check "slots of which the last is wrong" status_is 1 slots verify "$DEV" --count 101
check "a device that is not full" status_is 1 slots full "$DEV" --count 1
check "no device" status_is 2 slots verify /dev/none
finish
