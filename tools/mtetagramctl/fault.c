// SPDX-License-Identifier: GPL-2.0
/*
 * Failures on demand, for the tests. Empty unless built with TEST=1.
 *
 * MTETAGRAM_TEST_FAULT holds rules separated by commas, "OPERATION FILE ERROR [N]":
 * the operation on the file fails with that error, the first N times or always.
 * MTETAGRAM_TEST_TRACE is a file that gets a line for each write.
 */

#include "fault.h"

#ifdef MTETAGRAM_TEST

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int error;
} errors[] = {
	{ "DROP", FAULT_DROP },
	{ "EACCES", -EACCES },
	{ "EBUSY", -EBUSY },
	{ "EINVAL", -EINVAL },
	{ "EIO", -EIO },
	{ "ENODEV", -ENODEV },
	{ "ENOENT", -ENOENT },
	{ "ENOMEM", -ENOMEM },
	{ "ENOSPC", -ENOSPC },
};

static int error_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		if (!strcmp(errors[i].name, name))
			return errors[i].error;
	fprintf(stderr, "MTETAGRAM_TEST_FAULT: unknown error %s\n", name);
	abort();
}

int fault_inject(const char *operation, const char *file)
{
	static unsigned int hits[8];
	const char *rule = getenv("MTETAGRAM_TEST_FAULT");
	char rule_operation[16], rule_file[64], rule_error[16];
	unsigned int i, max;

	for (i = 0; rule && i < ARRAY_SIZE(hits); i++) {
		int fields = sscanf(rule, " %15s %63s %15[A-Z] %u", rule_operation,
				    rule_file, rule_error, &max);

		if (fields < 3)
			abort();
		if (!strcmp(rule_operation, operation) && !strcmp(rule_file, file) &&
		    (fields == 3 || hits[i] < max)) {
			hits[i]++;
			return error_by_name(rule_error);
		}
		rule = strchr(rule, ',');
		if (rule)
			rule++;
	}
	return 0;
}

void fault_trace(const char *fmt, ...)
{
	const char *name = getenv("MTETAGRAM_TEST_TRACE");
	FILE *file = name ? fopen(name, "a") : NULL;
	va_list args;

	if (!file)
		return;
	va_start(args, fmt);
	vfprintf(file, fmt, args);
	va_end(args);
	fputc('\n', file);
	fclose(file);
}

#endif
