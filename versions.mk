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
QEMU_VERSION = 7.2.0
QSERIES = qemu-7.2
QEMU_PACKAGE_VERSION = 1:7.2+dfsg-7+deb12u18
QEMU_ORIG_SHA256 = 91aca71520040edc40b8d437aa3004dae614f58e286cf653ee8996c07af2962f
QEMU_DEBIAN_SHA256 = 28a1c86310ee53b6bf1854cffe6f6be6ed29a08db7d05759f8ac57b8d6a6cb2f

# Guest user land, and the cross compiler's prefix for all that runs there.
DEBIAN_SUITE = bookworm
CROSS_COMPILE = aarch64-linux-gnu-
