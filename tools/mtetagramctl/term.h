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

/**
 * term_parse_color() - parse the argument of --color
 * @text: "auto", "always" or "never"; NULL means "always"
 * @when: the result
 *
 * Return: EXIT_OK, or EXIT_USAGE after the error was reported.
 */
int term_parse_color(const char *text, enum color_when *when);

/**
 * term_wants_color() - does standard output get colours?
 * @when: what the user asked for
 *
 * Return: true if it does. With COLOR_AUTO the environment decides as well.
 */
bool term_wants_color(enum color_when when);

/**
 * term_utf8() - does the locale use UTF-8?
 *
 * Return: true if it does.
 */
bool term_utf8(void);

/**
 * term_width() - the width for output
 *
 * Return: columns of the terminal, or of the variable COLUMNS, or 80.
 */
unsigned int term_width(void);

#endif
