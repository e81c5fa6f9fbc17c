#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# KUnit suites of the pool, the slots, the tag blocks and the block device: they run when
# their module is loaded; what debugfs says afterwards is printed and judged.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

results=/sys/kernel/debug/kunit

set_up 1M
check "modprobe mtetagram_kunit" modprobe mtetagram_kunit
suites=0
for file in "$results"/mtetagram*/results "$results"/mtg*/results; do
	[[ -e $file ]] || continue
	suites=$((suites + 1))
	suite=$(basename "$(dirname "$file")")
	sed 's/^/# /' "$file"
	# The last line is the suite's own, without indentation.
	if grep -qE '^ok ' "$file" && ! grep -qE '^ *not ok |# SKIP' "$file"; then
		pass "suite $suite"
	else
		fail "suite $suite"
	fi
done
check_that "there are suites" "$suites > 0"
check "rmmod mtetagram_kunit" rmmod mtetagram_kunit
finish
