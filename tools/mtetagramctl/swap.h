/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Swap on a device, with the programs of util-linux.
 */
#ifndef _SWAP_H
#define _SWAP_H

#include <stdbool.h>

#include "progress.h"

struct device;

/**
 * struct swap_move - how swap is moved off a device
 * @dev: a device that has been read
 * @force: do not check that there is room
 * @exact: print sizes in bytes
 * @progress: the progress
 */
struct swap_move {
	struct device *dev;
	bool force;
	bool exact;
	struct progress progress;
};

/**
 * swap_check_room() - check that memory and other swap have room for the swap
 * @move: the move
 *
 * Unknown numbers count as enough room.
 *
 * Return: EXIT_OK, or EXIT_NO_ROOM after that was reported.
 */
int swap_check_room(const struct swap_move *move);

/**
 * swap_off() - move all swap off the device, with progress
 * @move: the move
 *
 * Return: an exit code; an error has been reported.
 */
int swap_off(struct swap_move *move);

/**
 * swap_format() - write a swap header
 * @dev: the device
 *
 * Return: an exit code; an error has been reported.
 */
int swap_format(struct device *dev);

/**
 * swap_on() - use the device as swap
 * @dev: the device
 * @priority: the priority; NULL lets the kernel choose
 *
 * Return: an exit code; an error has been reported.
 */
int swap_on(struct device *dev, const char *priority);

#endif
