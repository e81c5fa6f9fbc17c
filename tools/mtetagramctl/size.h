/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sizes and numbers as text. Knows nothing of devices or files.
 */
#ifndef _SIZE_H
#define _SIZE_H

#include <stdbool.h>
#include <stdint.h>

#define SIZE_TEXT_MAX	32	/* room for any formatted size or number */

/**
 * struct size_arg - a size that the user typed
 * @number: bytes, or the percentage
 * @percent: @number is a percentage of the carve-out
 */
struct size_arg {
	uint64_t number;
	bool percent;
};

/**
 * number_parse() - parse a number
 * @text: decimal digits and nothing else
 * @number: the result
 *
 * Return: 0; -EINVAL if @text is no number; -ERANGE if the number is too large.
 */
int number_parse(const char *text, uint64_t *number);

/**
 * size_parse() - parse a size
 * @text: a number, with a suffix K, M, G, T, KiB and so on, or %
 * @arg: the result
 *
 * Return: 0; -EINVAL if @text is no size; -ERANGE if the size is too large.
 */
int size_parse(const char *text, struct size_arg *arg);

/**
 * size_resolve() - turn a size into bytes
 * @arg: the size
 * @whole: what a percentage is of, in bytes
 * @bytes: the result
 *
 * Return: 0; -ERANGE if the result is too large.
 */
int size_resolve(const struct size_arg *arg, uint64_t whole, uint64_t *bytes);

/**
 * size_format() - format a size with one decimal: "1.5K"
 * @buf: the result
 * @bytes: the size
 * @exact: write all digits of @bytes instead
 *
 * Return: @buf.
 */
const char *size_format(char buf[SIZE_TEXT_MAX], uint64_t bytes, bool exact);

/**
 * size_format_whole() - format a size without rounding, so that it can be typed in
 * @buf: the result
 * @bytes: the size
 *
 * Return: @buf.
 */
const char *size_format_whole(char buf[SIZE_TEXT_MAX], uint64_t bytes);

#endif
