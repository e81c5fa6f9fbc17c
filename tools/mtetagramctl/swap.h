/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Swap on a device, with the programs of util-linux.
 */
#ifndef _SWAP_H
#define _SWAP_H

#include <stdbool.h>

#include "progress.h"

struct device;

/* How swap is moved off a device that has been read. */
struct swap_move {
	struct device *dev;
	bool force;		/* do not look whether there is room for it */
	bool exact;		/* sizes in bytes */
	struct progress progress;
};

/*
 * Is there room in memory and in other swap for what is swapped? Numbers that are
 * unknown do not speak against it. Returns EXIT_OK, or EXIT_NO_ROOM, reported.
 */
int swap_check_room(const struct swap_move *move);

/* Move it all, with progress. Returns an exit code; errors are reported. */
int swap_off(struct swap_move *move);

/* Write a swap header. The same. */
int swap_format(struct device *dev);

/* Use it as swap, with this priority, or that which the kernel chooses. The same. */
int swap_on(struct device *dev, const char *priority);

#endif
