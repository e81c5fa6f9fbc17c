/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the user typed: options, and sizes as their arguments. Errors are reported.
 */
#ifndef _OPTION_H
#define _OPTION_H

#include "size.h"

/**
 * option_error() - report an option that getopt_long() did not accept
 * @c: what getopt_long() returned; its list of options must begin with ":"
 * @argv: the arguments
 *
 * Return: EXIT_USAGE.
 */
int option_error(int c, char **argv);

/**
 * option_size() - parse the size that an option was given
 * @name: the option with its dashes, or NULL for an argument without an option
 * @text: the size
 * @arg: the result
 *
 * Return: EXIT_OK or EXIT_USAGE.
 */
int option_size(const char *name, const char *text, struct size_arg *arg);

/**
 * option_size_not_zero() - like option_size(), but 0 is wrong
 * @name: the option with its dashes
 * @text: the size
 * @arg: the result
 *
 * Return: EXIT_OK or EXIT_USAGE.
 */
int option_size_not_zero(const char *name, const char *text, struct size_arg *arg);

#endif
