/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an administrator should know before it does harm.
 */
#ifndef _WARN_H
#define _WARN_H

#include <stddef.h>

#define WARN_TEXT_MAX	512

struct device;

enum warning {
	WARN_ZSWAP,
	WARN_HIBERNATION,
	WARN_PRIORITY,
	WARN_FULL,
	WARN_DRAINED,
	WARN_LOST,
	WARN_STOPPED,
	NR_WARNINGS
};

/**
 * warn_find() - fill in @dev->warnings
 * @dev: a device about which everything else has been read
 */
void warn_find(struct device *dev);

/**
 * warn_name() - one word for a warning
 * @warning: the warning
 *
 * Return: the word.
 */
const char *warn_name(enum warning warning);

/**
 * warn_text() - cause and remedy of a warning
 * @dev: a device that has the warning
 * @warning: the warning
 * @buf: the text; any bytes, escape it before use
 *
 * Return: @buf.
 */
const char *warn_text(const struct device *dev, enum warning warning,
		      char buf[WARN_TEXT_MAX]);

/**
 * warn_names() - the words of all warnings of a device, separated by commas
 * @dev: a device that has been read
 * @buf: the text
 * @size: the room in @buf
 *
 * Return: @buf; NULL if there is no warning.
 */
const char *warn_names(const struct device *dev, char *buf, size_t size);

#endif
