# SPDX-License-Identifier: GPL-2.0
# Every pin of the project. Data only: read by make and by scripts/common.sh,
# so a line is NAME = value and nothing else.

# Kernel: Debian's source package; the tarball inside is what is checked.
KVER = 6.12.117
KSERIES = linux-6.12
KPACKAGE = linux-source-6.12
KPACKAGE_VERSION = 6.12.117-1~deb12u1
KSHA256 = 585a4a074597aefa2b1a68ada83a3184ba351c127544dea80618bbcceaa3961f

# Machine model: Debian's QEMU source with Debian's patches and ours.
QVER = 7.2
QSERIES = qemu-7.2

# Cross compiler prefix for the kernel and everything that runs in the guest.
CROSS_COMPILE = aarch64-linux-gnu-
