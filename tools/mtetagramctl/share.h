/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The share of the carve-out that a device may use.
 */
#ifndef _SHARE_H
#define _SHARE_H

#include <stdbool.h>

struct device;
struct size_arg;

/**
 * share_parse() - parse the share that the user typed
 * @text: the share
 * @arg: the result
 *
 * Return: EXIT_OK, or EXIT_USAGE after the error was reported.
 */
int share_parse(const char *text, struct size_arg *arg);

/**
 * share_set() - set the share of a device, and print the old one and the new one
 * @dev: the device
 * @arg: the share
 * @exact: print sizes in bytes
 * @progress: print progress even if standard error is no terminal
 *
 * Return: an exit code; an error has been reported.
 */
int share_set(struct device *dev, const struct size_arg *arg, bool exact,
	      bool progress);

#endif
