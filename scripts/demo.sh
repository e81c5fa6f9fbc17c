#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The short form of the proof, with all of its output.
set -euo pipefail
. "$(dirname "$0")/common.sh"

msg "booting a machine with 512 MiB, 16 MiB of it tag storage"
"$TOP/tests/qemu/run" --products "$TOP/build/products" --mem 512M --name demo \
	--timeout 300 demo.sh ||
	die "not everything was verified (status $?), see build/demo/"
msg "demo: every byte and every tag was verified"
