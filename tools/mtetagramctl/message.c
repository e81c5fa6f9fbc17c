// SPDX-License-Identifier: GPL-2.0
/*
 * Error messages, and the allocation functions that end in one.
 *
 * What is printed may come from files that anybody made (mount points, device
 * tree), so nothing reaches the terminal unescaped.
 */

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mtetagramctl.h"
#include "size.h"

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
	/* Keep the order when both go to the same place. */
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

int option_error(int c, char **argv)
{
	const char *arg = argv[optind - 1];

	if (c == ':')
		return usage_error("option %s needs an argument", arg);
	/* Of letters in a row only optopt tells which one it was. */
	if (optopt && strncmp(arg, "--", 2))
		return usage_error("unknown option -%c", optopt);
	return usage_error("option %s is unknown, ambiguous, or takes no argument", arg);
}

int size_option(const char *name, const char *text, struct size_arg *arg)
{
	switch (size_parse(text, arg)) {
	case 0:
		break;
	case -ERANGE:
		return usage_error("--%s %s: too large a size", name, text);
	default:
		return usage_error("--%s %s: not a size; use for example 512M or 50%%",
				   name, text);
	}
	if (!arg->number)
		return usage_error("--%s %s: must not be zero", name, text);
	return EXIT_OK;
}

static void *check_memory(void *p)
{
	if (!p) {
		report_err(NULL, "out of memory");
		exit(EXIT_ERROR);
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return check_memory(calloc(n, size));
}

void *xrealloc(void *p, size_t n, size_t size)
{
	return check_memory(reallocarray(p, n, size));
}

char *xstrdup(const char *s)
{
	size_t len = strlen(s) + 1;

	return memcpy(xcalloc(1, len), s, len);
}
