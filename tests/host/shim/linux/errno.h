/* SPDX-License-Identifier: GPL-2.0 */
/* <errno.h> needs the real one. */
#include_next <linux/errno.h>
