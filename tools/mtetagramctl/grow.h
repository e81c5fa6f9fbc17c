/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The size of a device, which can grow while it is in use.
 */
#ifndef _GROW_H
#define _GROW_H

#include <stdbool.h>

#include "size.h"
#include "swap.h"

struct grow {
	struct size_arg size;
	bool renew_swap;	/* swap that is in use on it shall use the new size */
	struct swap_move move;
};

/* Returns an exit code; errors are reported. */
int grow(struct device *dev, struct grow *grow);

#endif
