/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The size of a device, which can grow while the device is in use.
 */
#ifndef _GROW_H
#define _GROW_H

#include <stdbool.h>

#include "size.h"
#include "swap.h"

/**
 * struct grow - what the user wants
 * @size: the new size
 * @renew_swap: make a new swap area, so that swap uses the new size
 * @move: how swap is moved for that
 */
struct grow {
	struct size_arg size;
	bool renew_swap;
	struct swap_move move;
};

/**
 * grow() - make a device larger
 * @dev: the device
 * @grow: what the user wants
 *
 * Return: an exit code; an error has been reported.
 */
int grow(struct device *dev, struct grow *grow);

#endif
