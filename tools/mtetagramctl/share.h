/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The share of the carve-out that a device may use.
 */
#ifndef _SHARE_H
#define _SHARE_H

#include <stdbool.h>

#include "size.h"

#define ATTR_LIMIT	"tag_storage/share"

struct device;

/* Parse what the user typed; more than 100% is refused. Returns an exit code. */
int share_parse(const char *text, struct size_arg *arg);

/* Set the share and say so. Returns an exit code; errors are reported. */
int share_set(struct device *dev, const struct size_arg *arg, bool exact,
	      bool progress);

#endif
