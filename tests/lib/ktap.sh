# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The results of tests that run on the host, as KTAP on stdout, for scripts/check to
# count. Sourced by bash scripts with "set -euo pipefail"; Python has ktap.py. The guest
# has functions of its own (tests/guest/lib.sh): only tests/guest is copied into it, and
# its scripts run without errexit.
#
#	ktap_begin [PLAN]		how many results there will be, if that is known
#	ktap_check NAME COMMAND...	one result: does the command succeed?
#	ktap_result STATUS NAME [TEXT]	one result: ok if STATUS is 0
#	ktap_note TEXT			lines for a reader
#	ktap_end			ends the script: with 0 only if all was ok
#
# What a command printed, or TEXT, is shown only if the result is not ok.

KTAP_NUMBER=0 KTAP_FAILED=0 KTAP_PLAN=
# What the last command of ktap_check printed.
KTAP_OUTPUT=

# shellcheck disable=SC2120 # the plan may be left out
ktap_begin()
{
	KTAP_PLAN=${1:-}
	echo "KTAP version 1"
	[[ -z $KTAP_PLAN ]] || echo "1..$KTAP_PLAN"
}

ktap_note()
{
	printf '%s\n' "$1" | sed 's/^/# /'
}

# The end of a long text is the part that says why.
ktap_result()
{
	KTAP_NUMBER=$((KTAP_NUMBER + 1))
	if [[ $1 == 0 ]]; then
		echo "ok $KTAP_NUMBER $2"
		return
	fi
	[[ -z ${3:-} ]] || ktap_note "$(tail -n 100 <<<"$3")"
	echo "not ok $KTAP_NUMBER $2"
	KTAP_FAILED=$((KTAP_FAILED + 1))
}

# The command runs in a subshell with errexit, so that a function fails at the first
# command in it that fails. bash ignores errexit to the left of || and in the condition of
# an if: never call ktap_check there. The command's input is empty: a loop that reads lines
# of a file may call ktap_check for each line.
ktap_check()
{
	local name=$1 status

	shift
	set +e
	KTAP_OUTPUT=$(set -e; "$@" </dev/null 2>&1)
	status=$?
	set -e
	ktap_result "$status" "$name" "$KTAP_OUTPUT"
}

# Too few results are a failure, and no result at all is one.
ktap_end()
{
	[[ -n $KTAP_PLAN ]] || echo "1..$KTAP_NUMBER"
	if ((KTAP_NUMBER == 0 || KTAP_NUMBER != ${KTAP_PLAN:-KTAP_NUMBER})); then
		ktap_note "$KTAP_NUMBER results of ${KTAP_PLAN:-at least 1}"
		exit 1
	fi
	exit $((KTAP_FAILED != 0))
}
