/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an administrator should know before it hurts.
 */
#ifndef _WARN_H
#define _WARN_H

#include <stddef.h>

#include "device.h"

#define WARN_TEXT_MAX	512

/* Fill in @dev->warnings; everything else has been read. */
void warn_find(struct device *dev);

/* One word for it. */
const char *warn_name(enum warning warning);

/* What it means and what to do, for people. Any bytes: escape before use. */
const char *warn_text(const struct device *dev, enum warning warning,
		      char buf[WARN_TEXT_MAX]);

/* All names, separated by commas; NULL if there are none. */
const char *warn_names(const struct device *dev, char *buf, size_t size);

#endif
