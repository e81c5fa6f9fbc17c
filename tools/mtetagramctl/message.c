// SPDX-License-Identifier: GPL-2.0
/*
 * Error messages.
 *
 * A message may quote a file that any user can make, such as a mount point. So each
 * message is escaped before it reaches the terminal.
 */

#include <stdarg.h>
#include <stdio.h>

#include "exit.h"
#include "message.h"

const char *current_command;

const char *escape(char *to, size_t size, const char *from)
{
	size_t len = 0;

	for (; *from && len + 5 <= size; from++) {
		unsigned char c = *from;

		if (c >= ' ' && c < 0x7f)
			to[len++] = c;
		else
			len += sprintf(to + len, "\\x%02x", c);
	}
	to[len] = '\0';
	return to;
}

static void vreport_err(const char *subject, const char *fmt, va_list args)
{
	char text[1024], safe[sizeof(text) * 4 + 1];

	vsnprintf(text, sizeof(text), fmt, args);
	escape(safe, sizeof(safe), text);
	/* Output and errors keep their order if they go to the same place. */
	fflush(stdout);
	fputs("mtetagramctl: ", stderr);
	if (current_command)
		fprintf(stderr, "%s: ", current_command);
	if (subject)
		fprintf(stderr, "%s: ", subject);
	fprintf(stderr, "%s\n", safe);
}

void report_err(const char *subject, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vreport_err(subject, fmt, args);
	va_end(args);
}

int usage_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vreport_err(NULL, fmt, args);
	va_end(args);
	fprintf(stderr, "Try 'mtetagramctl %s%s--help'.\n",
		current_command ?: "", current_command ? " " : "");
	return EXIT_USAGE;
}
