// SPDX-License-Identifier: GPL-2.0
/*
 * What the terminal can show. Colours follow https://no-color.org: NO_COLOR turns colours
 * off, but --color=always wins.
 */

#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "exit.h"
#include "message.h"
#include "size.h"
#include "term.h"

#define DEFAULT_WIDTH	80
#define MAX_WIDTH	1024

int term_parse_color(const char *text, enum color_when *when)
{
	if (!text || !strcmp(text, "always"))
		*when = COLOR_ALWAYS;
	else if (!strcmp(text, "auto"))
		*when = COLOR_AUTO;
	else if (!strcmp(text, "never"))
		*when = COLOR_NEVER;
	else
		return usage_error("--color %s: not auto, always or never", text);
	return EXIT_OK;
}

bool term_wants_color(enum color_when when)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (when != COLOR_AUTO)
		return when == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && *term &&
	       strcmp(term, "dumb");
}

bool term_utf8(void)
{
	return setlocale(LC_CTYPE, "") && !strcmp(nl_langinfo(CODESET), "UTF-8");
}

unsigned int term_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t number;

	if (columns && !number_parse(columns, &number) && number && number <= MAX_WIDTH)
		return number;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col &&
	    size.ws_col <= MAX_WIDTH)
		return size.ws_col;
	return DEFAULT_WIDTH;
}
