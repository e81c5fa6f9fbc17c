#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/demo.sh: builds everything, and runs the short form of the proof with all its output.
# Exits 0 only if everything was verified.
set -euo pipefail
. "$(dirname "$0")/common.sh"

MEM=512M

"$TOP/scripts/setup.sh"
"$TOP/scripts/products.sh" qemu rootfs bin kernel-release
msg "booting a machine with $MEM, of which 1/32 is tag storage"
status=0
"$TOP/tests/qemu/run" --mem "$MEM" --name demo --timeout 300 demo.sh || status=$?
((status == 0)) || die "not everything was verified (status $status); see build/demo/"
msg "demo: every byte and every tag was right"
