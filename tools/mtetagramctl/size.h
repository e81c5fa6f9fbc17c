/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sizes and numbers as text. Knows nothing of devices or files.
 */
#ifndef _SIZE_H
#define _SIZE_H

#include <stdbool.h>
#include <stdint.h>

#define SIZE_TEXT_MAX	32	/* room for any formatted size or number */

/* A size as given by the user: bytes, or a share of a whole known only later. */
struct size_arg {
	uint64_t number;
	bool percent;
};

/* All return 0, -EINVAL if it is no number, -ERANGE if it does not fit. */
int number_parse(const char *text, uint64_t *number);
int size_parse(const char *text, struct size_arg *arg);
int size_resolve(const struct size_arg *arg, uint64_t whole, uint64_t *bytes);

/* "1536" becomes "1.5K", or stays with @exact. Returns @buf. */
const char *size_format(char buf[SIZE_TEXT_MAX], uint64_t bytes, bool exact);

/* In the largest unit without rounding, so that it can be typed in again. */
const char *size_format_whole(char buf[SIZE_TEXT_MAX], uint64_t bytes);

#endif
