/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the forms of "status" share.
 */
#ifndef _STATUS_H
#define _STATUS_H

struct device;

/* One word for what a device is doing. */
const char *status_state(const struct device *dev);

/* One line: the device and who uses it. */
void status_heading(const struct device *dev);

#endif
