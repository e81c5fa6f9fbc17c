#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/guest.sh [SCRIPT [ARGUMENT...]]: builds what a guest needs, boots it, and
# runs the script in it, or a shell. FILES=DIRECTORY is what the script finds in its
# current directory; FLAVOUR, SMP, MEM, BLOCK_SIZE, CACHES, TIMEOUT and APPEND (to
# the kernel's command line) choose the machine. The script's output is all there is on
# stdout; the exit status is that of tests/qemu/run.
set -euo pipefail
. "$(dirname "$0")/common.sh"

SETUP_ERROR=201

prepare()
{
	"$TOP/scripts/setup.sh" &&
		"$TOP/scripts/products.sh" qemu rootfs bin "kernel-$FLAVOUR"
}

FLAVOUR=${FLAVOUR:-release}
prepare >&2 || exit $SETUP_ERROR
options=(--flavour "$FLAVOUR" --smp "${SMP:-2}" --mem "${MEM:-1G}"
	--block-size "${BLOCK_SIZE:-4096}" --caches "${CACHES:-off}" --timeout "${TIMEOUT:-600}"
	--append "${APPEND:-}")
[[ -z ${FILES:-} ]] || options+=(--files "$FILES")
if (($#)); then
	exec "$TOP/tests/qemu/run" "${options[@]}" "$@"
fi
exec "$TOP/tests/qemu/run" "${options[@]}" --shell
