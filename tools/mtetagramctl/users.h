/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The users of a device: swap, a mounted file system, another device on top of it.
 */
#ifndef _USERS_H
#define _USERS_H

struct device;

/**
 * users_read() - find the users of a device
 * @dev: gets swap, with its values, mountpoint, holder and rival
 */
void users_read(struct device *dev);

/**
 * users_refuse() - report the user of a device, and what to do
 * @dev: a device that has been read
 *
 * Return: EXIT_OK if the device is not in use, else EXIT_BUSY.
 */
int users_refuse(struct device *dev);

/**
 * users_refuse_others() - like users_refuse(), but swap is allowed
 * @dev: a device that has been read
 *
 * Return: EXIT_OK if the device is not in use, or only as swap, else EXIT_BUSY.
 */
int users_refuse_others(struct device *dev);

#endif
