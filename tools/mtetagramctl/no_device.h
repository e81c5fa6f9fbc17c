/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why the machine has no device.
 */
#ifndef _NO_DEVICE_H
#define _NO_DEVICE_H

/**
 * report_no_device() - report why there is no device at all, and what to do
 *
 * Return: EXIT_NO_DEVICE.
 */
int report_no_device(void);

#endif
