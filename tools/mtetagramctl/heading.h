/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a device is in use for, in one word or in one line.
 */
#ifndef _HEADING_H
#define _HEADING_H

struct device;

/**
 * heading_state() - what the device is in use for, in one word
 * @dev: a device that has been read
 *
 * Return: the word, or NULL if it is unknown.
 */
const char *heading_state(const struct device *dev);

/**
 * heading_print() - print one line: the device and its user
 * @dev: a device that has been read
 */
void heading_print(const struct device *dev);

#endif
