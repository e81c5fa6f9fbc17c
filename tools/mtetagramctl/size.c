// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes and numbers as text.
 *
 * The parsers are stricter than strtoull(): a sign, a space, another base and text after
 * the number are errors, and so is a number that is too large. A wrong guess at a size
 * could cost the user data.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "size.h"

static const char units[] = "KMGT";

/* Parses leading digits. Returns the end of the digits, or NULL on overflow. */
static const char *parse_digits(const char *text, uint64_t *number)
{
	*number = 0;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, (uint64_t)(*text - '0'), number))
			return NULL;
	}
	return text;
}

int number_parse(const char *text, uint64_t *number)
{
	const char *end = parse_digits(text, number);

	if (!end)
		return text[strspn(text, "0123456789")] ? -EINVAL : -ERANGE;
	return end == text || *end ? -EINVAL : 0;
}

int size_parse(const char *text, struct size_arg *arg)
{
	const char *end = parse_digits(text, &arg->number);
	const char *unit;

	arg->percent = false;
	if (!end)
		return -ERANGE;
	if (end == text)
		return -EINVAL;
	if (!strcmp(end, "%")) {
		arg->percent = true;
		return 0;
	}
	if (!*end)
		return 0;
	unit = strchr(units, *end >= 'a' && *end <= 'z' ? *end - 'a' + 'A' : *end);
	/* "KiB" means the same as "K". "KB" is refused: it could mean 1000. */
	if (!unit || (end[1] && strcmp(end + 1, "iB")))
		return -EINVAL;
	if (__builtin_mul_overflow(arg->number, UINT64_C(1) << 10 * (unit - units + 1),
				   &arg->number))
		return -ERANGE;
	return 0;
}

int size_resolve(const struct size_arg *arg, uint64_t whole, uint64_t *bytes)
{
	uint64_t hundredth = whole / 100, rest = whole % 100 * arg->number / 100;

	*bytes = arg->number;
	if (!arg->percent)
		return 0;
	if (arg->number > UINT32_MAX ||
	    __builtin_mul_overflow(hundredth, arg->number, bytes) ||
	    __builtin_add_overflow(*bytes, rest, bytes))
		return -ERANGE;
	return 0;
}

const char *size_format(char buf[SIZE_TEXT_MAX], uint64_t bytes, bool exact)
{
	uint64_t unit = 1, tenths;
	int i = -1;

	if (exact) {
		snprintf(buf, SIZE_TEXT_MAX, "%" PRIu64, bytes);
		return buf;
	}
	while (bytes / unit >= 1024 && i < 5) {
		unit <<= 10;
		i++;
	}
	tenths = bytes / unit * 10 + (bytes % unit * 10 + unit / 2) / unit;
	if (tenths >= 10240 && i < 5) {
		tenths = 10;
		i++;
	}
	if (tenths % 10)
		snprintf(buf, SIZE_TEXT_MAX, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10,
			 tenths % 10, "KMGTPE"[i]);
	else
		snprintf(buf, SIZE_TEXT_MAX, "%" PRIu64 "%c", tenths / 10,
			 i < 0 ? 'B' : "KMGTPE"[i]);
	return buf;
}

const char *size_format_whole(char buf[SIZE_TEXT_MAX], uint64_t bytes)
{
	char unit[2] = "";
	int i;

	for (i = 0; bytes && bytes % 1024 == 0 && units[i]; i++) {
		bytes /= 1024;
		unit[0] = units[i];
	}
	snprintf(buf, SIZE_TEXT_MAX, "%" PRIu64 "%s", bytes, unit);
	return buf;
}
