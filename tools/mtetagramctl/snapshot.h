/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that a device tells, read at one time.
 */
#ifndef _SNAPSHOT_H
#define _SNAPSHOT_H

#include <stddef.h>

struct device;

/**
 * snapshot_read() - read everything about a device
 * @dev: an open device about which nothing has been read, or all was forgotten
 *
 * What makes no sense is reported, left unknown, and noted in @dev->bad.
 *
 * Return: EXIT_OK; EXIT_NO_DEVICE, reported, if the device is gone.
 */
int snapshot_read(struct device *dev);

/**
 * struct snapshots - several devices that have been read
 * @devices: the devices
 * @nr: their number
 */
struct snapshots {
	struct device *devices;
	size_t nr;
};

/**
 * snapshots_read() - open and read several devices
 * @snapshots: the result, for snapshots_free() whatever is returned; a device that could
 *	       not be read is reported and left out
 * @nr: number of names
 * @names: the names of the devices
 *
 * Return: EXIT_OK if every device could be read and all of it made sense.
 */
int snapshots_read(struct snapshots *snapshots, size_t nr, char **names);

/**
 * snapshots_free() - close all devices
 * @snapshots: what snapshots_read() read
 */
void snapshots_free(struct snapshots *snapshots);

#endif
