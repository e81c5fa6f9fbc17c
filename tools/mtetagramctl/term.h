/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the terminal can show.
 */
#ifndef _TERM_H
#define _TERM_H

#include <stdbool.h>

enum color_when {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
};

/* Parse "auto", "always" or "never"; NULL is "always". Returns an exit code. */
int color_parse(const char *text, enum color_when *when);

/* Should colours go to standard output? NO_COLOR and TERM=dumb speak against it. */
bool color_wanted(enum color_when when);

/* Does the locale have more than ASCII? */
bool term_utf8(void);

/* Columns of the terminal, or of COLUMNS, or 80. */
unsigned int term_width(void);

#endif
