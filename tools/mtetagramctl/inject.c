// SPDX-License-Identifier: GPL-2.0
/*
 * Errors on demand, for the tests. This file is empty unless it is built with TEST=1.
 *
 * MTETAGRAM_TEST_FAULT holds rules separated by commas. A rule is "OPERATION FILE ERROR
 * [CONDITION]": the operation on the file fails with that error. Without a condition it
 * fails each time. The condition N lets the first N times fail. The condition <N lets a
 * write of a number below N fail. The error TERM sends SIGTERM at that moment, and the
 * operation goes on.
 * MTETAGRAM_TEST_TRACE is a file that gets a line for each write.
 * MTETAGRAM_TEST_SLEEP is a script that runs instead of each sleep.
 */

#include "inject.h"
#include "util.h"

#ifdef MTETAGRAM_TEST

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INJECT_TERM	2

static const struct {
	const char *name;
	int error;
} errors[] = {
	{ "DROP", INJECT_DROP },
	{ "EACCES", -EACCES },
	{ "EBUSY", -EBUSY },
	{ "EINVAL", -EINVAL },
	{ "EIO", -EIO },
	{ "ENODEV", -ENODEV },
	{ "ENOENT", -ENOENT },
	{ "ENOMEM", -ENOMEM },
	{ "ENOSPC", -ENOSPC },
	{ "TERM", INJECT_TERM },
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

/* Does the condition of a rule hold, after so many @hits? "" always holds. */
static bool condition_holds(const char *condition, unsigned int hits, const char *value)
{
	if (*condition == '<')
		return value && strtoull(value, NULL, 10) <
				strtoull(condition + 1, NULL, 10);
	return !*condition || hits < strtoull(condition, NULL, 10);
}

int inject_error(const char *operation, const char *file, const char *value)
{
	static unsigned int hits[8];
	const char *rule = getenv("MTETAGRAM_TEST_FAULT");
	char rule_operation[16], rule_file[64], rule_error[16], condition[24];
	unsigned int i;

	for (i = 0; rule && i < ARRAY_SIZE(hits); i++) {
		condition[0] = '\0';
		if (sscanf(rule, " %15s %63s %15[A-Z] %23[0-9<]", rule_operation, rule_file,
			   rule_error, condition) < 3)
			abort();
		if (!strcmp(rule_operation, operation) && !strcmp(rule_file, file) &&
		    condition_holds(condition, hits[i], value)) {
			int error = error_by_name(rule_error);

			hits[i]++;
			if (error != INJECT_TERM)
				return error;
			raise(SIGTERM);
		}
		rule = strchr(rule, ',');
		if (rule)
			rule++;
	}
	return 0;
}

bool inject_sleep(unsigned int milliseconds)
{
	const char *script = getenv("MTETAGRAM_TEST_SLEEP");

	if (!script)
		return false;
	inject_trace("sleep %u", milliseconds);
	if (system(script))
		abort();
	return true;
}

void inject_trace(const char *fmt, ...)
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
