// SPDX-License-Identifier: GPL-2.0
/*
 * Options and their arguments.
 */

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "exit.h"
#include "message.h"
#include "option.h"

int option_error(int c, char **argv)
{
	const char *arg = argv[optind - 1];

	if (c == ':')
		return usage_error("option %s needs an argument", arg);
	/* Several letters can follow one dash; optopt tells the wrong one. */
	if (optopt && strncmp(arg, "--", 2))
		return usage_error("unknown option -%c", optopt);
	return usage_error("option %s is unknown, ambiguous, or takes no argument", arg);
}

int option_size(const char *name, const char *text, struct size_arg *arg)
{
	const char *blank = name ? " " : "";

	switch (size_parse(text, arg)) {
	case 0:
		return EXIT_OK;
	case -ERANGE:
		return usage_error("%s%s%s: too large a size", name ?: "", blank, text);
	default:
		return usage_error("%s%s%s: not a size; use for example 512M or 50%%",
				   name ?: "", blank, text);
	}
}

int option_size_not_zero(const char *name, const char *text, struct size_arg *arg)
{
	int ret = option_size(name, text, arg);

	if (!ret && !arg->number)
		return usage_error("%s %s: must not be zero", name, text);
	return ret;
}
