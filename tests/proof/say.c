// SPDX-License-Identifier: GPL-2.0
/* Output as whole lines. See say.h. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "say.h"

static void say_args(const char *format, va_list args)
{
	char line[1024];
	int len = vsnprintf(line, sizeof(line) - 1, format, args);

	if (len < 0)
		return;
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	/* If the write fails, there is no other way to say so. */
	if (write(STDOUT_FILENO, line, len) < 0)
		return;
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_args(format, args);
	va_end(args);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_args(format, args);
	va_end(args);
	exit(EXIT_SETUP);
}
