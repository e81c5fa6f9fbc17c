/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who uses a device: swap, a mounted file system, a device on top of it.
 */
#ifndef _USERS_H
#define _USERS_H

struct device;

/* Fill in @dev->swap with its values, @dev->mountpoint and @dev->holder. */
void users_read(struct device *dev);

/* Return: EXIT_OK, or EXIT_BUSY with who uses the device, and what to do, reported. */
int users_refuse(struct device *dev);

/* The same, but swap does not count. */
int users_refuse_others(struct device *dev);

#endif
