// SPDX-License-Identifier: GPL-2.0
/*
 * The parsers and the formatter of size.c, called directly.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "size.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

static int failed;

static void expect(const char *what, const char *text, int ret, uint64_t number,
		   int want_ret, uint64_t want)
{
	if (ret == want_ret && (ret || number == want))
		return;
	printf("%s \"%s\": got %d, %" PRIu64 ", expected %d, %" PRIu64 "\n", what, text,
	       ret, number, want_ret, want);
	failed = 1;
}

static void test_numbers(void)
{
	static const struct {
		const char *text;
		int ret;
		uint64_t number;
	} cases[] = {
		{ "0", 0, 0 },
		{ "007", 0, 7 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE },
		{ "99999999999999999999999999999999", -ERANGE },
		{ "99999999999999999999999999999999x", -EINVAL },
		{ "", -EINVAL },
		{ " 1", -EINVAL },
		{ "1 ", -EINVAL },
		{ "1\n", -EINVAL },
		{ "+1", -EINVAL },
		{ "-1", -EINVAL },
		{ "0x10", -EINVAL },
		{ "1.0", -EINVAL },
		{ "1K", -EINVAL },
		{ "\xd9\xa1", -EINVAL },
	};
	uint64_t number;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int ret = number_parse(cases[i].text, &number);

		expect("number", cases[i].text, ret, number, cases[i].ret,
		       cases[i].number);
	}
}

static void test_sizes(void)
{
	static const struct {
		const char *text;
		int ret;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "1K", 0, 1024 },
		{ "1k", 0, 1024 },
		{ "3m", 0, 3 << 20 },
		{ "2G", 0, UINT64_C(2) << 30 },
		{ "5T", 0, UINT64_C(5) << 40 },
		{ "5TiB", 0, UINT64_C(5) << 40 },
		{ "16777215T", 0, UINT64_C(16777215) << 40 },
		{ "16777216T", -ERANGE },
		{ "18446744073709551616", -ERANGE },
		{ "18446744073709551615K", -ERANGE },
		{ "", -EINVAL },
		{ "K", -EINVAL },
		{ "%", -EINVAL },
		{ "1KB", -EINVAL },
		{ "1Ki", -EINVAL },
		{ "1KiBs", -EINVAL },
		{ "1B", -EINVAL },
		{ "1P", -EINVAL },
		{ "1KK", -EINVAL },
		{ "1.5G", -EINVAL },
		{ "1,5G", -EINVAL },
		{ "1 G", -EINVAL },
		{ " 1G", -EINVAL },
		{ "1G ", -EINVAL },
		{ "-1G", -EINVAL },
		{ "+1G", -EINVAL },
		{ "0x1G", -EINVAL },
		{ "1e3", -EINVAL },
		{ "inf", -EINVAL },
		{ "50%%", -EINVAL },
		{ "50%x", -EINVAL },
	};
	struct size_arg arg;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int ret = size_parse(cases[i].text, &arg);

		if (!ret && arg.percent)
			ret = -EPROTO;
		expect("size", cases[i].text, ret, arg.number, cases[i].ret,
		       cases[i].bytes);
	}
}

static void test_percent(void)
{
	static const struct {
		const char *text;
		uint64_t whole;
		int ret;
		uint64_t bytes;
	} cases[] = {
		{ "50%", 33554432, 0, 16777216 },
		{ "0%", 33554432, 0, 0 },
		{ "100%", 33554433, 0, 33554433 },
		{ "300%", 33554432, 0, 100663296 },
		{ "33%", 1000, 0, 330 },
		{ "1%", 99, 0, 0 },
		{ "100%", UINT64_MAX, 0, UINT64_MAX },
		{ "101%", UINT64_MAX, -ERANGE },
		{ "18446744073709551615%", 4096, -ERANGE },
		{ "7", UINT64_MAX, 0, 7 },
	};
	struct size_arg arg;
	uint64_t bytes;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int ret = size_parse(cases[i].text, &arg) ?:
			  size_resolve(&arg, cases[i].whole, &bytes);

		expect("share", cases[i].text, ret, bytes, cases[i].ret, cases[i].bytes);
	}
}

static void test_format(void)
{
	static const struct {
		uint64_t bytes;
		const char *text, *exact, *whole;
	} cases[] = {
		{ 0, "0B", "0", "0" },
		{ 1023, "1023B", "1023", "1023" },
		{ 1024, "1K", "1024", "1K" },
		{ 1536, "1.5K", "1536", "1536" },
		{ 1024 * 1024 - 1, "1M", "1048575", "1048575" },
		{ 1025 * 1024, "1M", "1049600", "1025K" },
		{ 33554432, "32M", "33554432", "32M" },
		{ UINT64_C(1) << 40, "1T", "1099511627776", "1T" },
		{ UINT64_C(1) << 50, "1P", "1125899906842624", "1024T" },
		{ UINT64_MAX, "16E", "18446744073709551615", "18446744073709551615" },
	};
	char buf[SIZE_TEXT_MAX];
	struct size_arg arg;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (strcmp(size_format(buf, cases[i].bytes, false), cases[i].text)) {
			printf("format: got %s, expected %s\n", buf, cases[i].text);
			failed = 1;
		}
		if (strcmp(size_format(buf, cases[i].bytes, true), cases[i].exact)) {
			printf("format: got %s, expected %s\n", buf, cases[i].exact);
			failed = 1;
		}
		size_format_whole(buf, cases[i].bytes);
		if (strcmp(buf, cases[i].whole)) {
			printf("format: got %s, expected %s\n", buf, cases[i].whole);
			failed = 1;
		}
		/* The user can type in what size_format_whole() prints. */
		ret = size_parse(buf, &arg);
		expect("size", buf, ret, arg.number, 0, cases[i].bytes);
	}
}

int main(void)
{
	test_numbers();
	test_sizes();
	test_percent();
	test_format();
	return failed;
}
