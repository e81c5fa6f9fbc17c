#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# On a machine whose init is systemd (tests/qemu/run --systemd): the package is installed and
# the device becomes swap; then other settings, wrong settings, and a reboot, after which the
# device is swap again. On a machine without tag storage nothing is set up, and no unit fails.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

UNIT=mtetagram@mtetagram0.service
CONF=/etc/mtetagram.conf
# On the root disk: the counts of the checks before the reboot.
STATE=/var/lib/mtetagram-boot-test

# Shows a command and what it prints.
session()
{
	printf '# $ %s\n' "$*"
	"$@" 2>&1 | sed 's/^/#   /'
	return "${PIPESTATUS[0]}"
}

state()
{
	systemctl show -P "$1" "${2:-$UNIT}"
}

# wait_for_state STATE: until the unit has that state. udev starts and stops the unit. If
# the state never comes, the limit of the whole test ends the loop.
wait_for_state()
{
	note "waiting for $UNIT to be $1"
	while :; do
		case $(state ActiveState) in
		"$1") return 0 ;;
		failed) [[ $1 != active ]] || return 1 ;;
		esac
		udevadm settle
	done
}

# What the last run of the unit said.
said()
{
	journalctl --sync
	journalctl -b -o cat "_SYSTEMD_INVOCATION_ID=$(state InvocationID)"
}

swaps()
{
	awk -v device="$DEV" '$1 == device { print $NF }' /proc/swaps
}

# is_set_up SIZE ALGORITHM PRIORITY SHARE
is_set_up()
{
	check_is "the unit is active" active "$(state ActiveState)"
	check_is "swap of this priority is in use" "$3" "$(swaps)"
	check_is "the size is right" "$1" "$(attr disksize)"
	check "the algorithm is $2" grep -qF "[$2]" "$SYS/comp_algorithm"
	check_is "the share is right" "$4" "$(attr tag_storage/share)"
}

is_untouched()
{
	check_is "no swap" "" "$(swaps)"
	check_is "not set up" 0 "$(attr initstate)"
	check_is "the share is the whole carve-out" "$carveout" "$(attr tag_storage/share)"
	check "the default algorithm" grep -qF "[lz4]" "$SYS/comp_algorithm"
}

install_it()
{
	local dir

	note "the Debian package is unpacked over the root"
	# Each directory by itself: /lib is a link.
	for dir in /mtetagram/install/*/; do
		cp -r --preserve=mode "$dir." "${dir#/mtetagram/install}"
	done
	systemctl daemon-reload
	udevadm control --reload
}

# Swaps pages out, and checks that the device holds some.
use_swap()
{
	echo 16M >/sys/fs/cgroup/memory.reclaim 2>/dev/null
	check_that "pages are swapped out" \
		"$(awk -v device="$DEV" '$1 == device { print $4 }' /proc/swaps) > 0"
}

first_set_up()
{
	check_is "a bare machine has no swap" 1 "$(wc -l </proc/swaps)"
	check "a bare machine has no driver" test ! -e /sys/module/mtetagram
	install_it
	check "load modules as the boot does" systemctl restart systemd-modules-load
	check "the device's unit starts by itself" wait_for_state active
	carveout=$(attr tag_storage/size)
	is_set_up $((3 * carveout)) lz4 100 "$carveout"
	use_swap
	session mtetagramctl status
	session systemctl --no-pager status $UNIT
}

# The test starts the unit more often than systemd allows (5 times in 10 seconds).
allow_many_starts()
{
	local drop_in=/run/systemd/system/$UNIT.d

	mkdir -p "$drop_in"
	printf '%s\n' '[Unit]' 'StartLimitIntervalSec=0' >"$drop_in/test.conf"
	systemctl daemon-reload
}

settings()
{
	printf '%s\n' 'size = 64M' 'priority = 77' '[mtetagram0]' 'algorithm = zstd' \
		'share = 50%' '[mtetagram1]' 'size = 1M' >$CONF
	check "restart with other settings" systemctl restart $UNIT
	is_set_up $((64 << 20)) zstd 77 $((carveout / 2))
	sed -i 's/50%/75%/' $CONF
	use_swap
	check "reload while the swap is in use" systemctl reload $UNIT
	is_set_up $((64 << 20)) zstd 77 $((carveout * 3 / 4))
	check "stop" systemctl stop $UNIT
	is_untouched
}

# wrong SETTING MESSAGE
wrong()
{
	printf '%s\n' 'share = 50%' "$1" >$CONF
	check_fails_with "'$1': the unit fails" "$UNIT" systemctl start $UNIT
	if ! said | grep -F -- "$2" >/dev/null; then
		said | sed 's/^/#   /'
		fail "the journal does not say '$2'"
	else
		pass "the journal says '$2'"
	fi
	is_untouched
	check_is "the unit has failed" failed "$(state ActiveState)"
}

wrong_settings()
{
	wrong 'sise = 64M' "$CONF, line 2: no such setting: 'sise'"
	session journalctl -b -o cat "_SYSTEMD_INVOCATION_ID=$(state InvocationID)"
	wrong 'size = lots' '--size lots: not a size'
	wrong 'algorithm = lz5' '--algorithm lz5: the driver has only'
	wrong 'share = 200%' 'more than the whole carve-out'
	wrong 'priority = 40000' '--priority 40000: not a number from 0 to 32767'
	systemctl reset-failed

	echo 'enable = no' >$CONF
	check "enable = no: start does nothing" systemctl start $UNIT
	check_is "by a condition" exec-condition "$(state Result)"
	check "the unit has not failed" test "$(state ActiveState)" = inactive
	is_untouched
	rm $CONF
}

# The steps that an administrator may do by hand.
by_hand()
{
	check "set up by hand" mtetagramctl setup --size 32M mtetagram0
	check "the unit leaves a device alone that is set up" systemctl start $UNIT
	check_is "by a condition" exec-condition "$(state Result)"
	check_is "the size is as set by hand" $((32 << 20)) "$(attr disksize)"
	mtetagramctl reset
	check "start" systemctl start $UNIT
	is_set_up $((3 * carveout)) lz4 100 "$carveout"
	swapoff $DEV
	check "the driver is unloaded" modprobe -r mtetagram
	check "the unit ends with its device" wait_for_state inactive
	check "the driver is loaded" modprobe mtetagram
	check "the unit starts again" wait_for_state active
	is_set_up $((3 * carveout)) lz4 100 "$carveout"
}

# The examples in modprobe.d do what they say.
modprobe_settings()
{
	local conf=/etc/modprobe.d/mtetagram.conf

	check "systemctl stop" systemctl stop $UNIT
	check "unload" modprobe -r mtetagram
	sed 's/^#softdep/softdep/' /lib/modprobe.d/mtetagram.conf >$conf
	check_is "softdep: the driver is loaded before zram" "mtetagram.ko zram.ko" \
		"$(modprobe --show-depends zram | grep -oE '(mtetagram|zram)\.ko' | paste -sd' ')"
	sed 's/^#blacklist/blacklist/' /lib/modprobe.d/mtetagram.conf >$conf
	check "load modules as the boot does" systemctl restart systemd-modules-load
	check "blacklist: the driver is not loaded" test ! -e /sys/module/mtetagram
	rm $conf
	check "load modules as the boot does" systemctl restart systemd-modules-load
	check "without the settings the unit starts again" wait_for_state active
}

without_tag_storage()
{
	install_it
	check "loading modules works as the boot does it" systemctl restart systemd-modules-load
	journalctl --sync
	check "the journal says that there is no tag storage" grep -q "mtetagram: no usable MTE tag storage" \
		<(journalctl -b -k -o cat)
	check "the unit can be started" systemctl start $UNIT
	check_is "a condition skips the unit" no "$(state ConditionResult)"
	check_is "the unit is inactive" inactive "$(state ActiveState)"
	check_is "no unit has failed" "" "$(systemctl --failed --no-legend --plain)"
}

reboot_now()
{
	note "reboot"
	echo "$CHECKS $FAILED $(</proc/sys/kernel/random/boot_id)" >$STATE
	systemctl start --no-block --job-mode=replace-irreversibly reboot.target
	# systemd ends this test.
	exec tail -f /dev/null
}

# Returns when the boot has ended.
wait_for_boot()
{
	local running

	running=$(systemctl is-system-running --wait)
	check_is "after the boot, no unit has failed" running "$running" ||
		systemctl --failed --no-legend --plain | sed 's/^/#   /'
}

before_reboot()
{
	first_set_up
	allow_many_starts
	settings
	wrong_settings
	by_hand
	modprobe_settings
	printf '%s\n' 'priority = 55' 'algorithm = zstd' >$CONF
	reboot_now
}

after_reboot()
{
	read -r CHECKS FAILED boot <$STATE
	check "the machine was booted again" test "$boot" != "$(</proc/sys/kernel/random/boot_id)"
	wait_for_boot
	check "the device's unit has started by itself" wait_for_state active
	carveout=$(attr tag_storage/size)
	is_set_up $((3 * carveout)) zstd 55 "$carveout"
	use_swap
	session swapon --show
	session journalctl -b --no-pager -o cat -u $UNIT
}

[[ -d /run/systemd/system ]] || bail "init is not systemd"
if [[ -e $STATE ]]; then
	after_reboot
else
	wait_for_boot
	if compgen -G "/proc/device-tree/reserved-memory/tag-storage*" >/dev/null; then
		before_reboot
	fi
	without_tag_storage
fi
finish
