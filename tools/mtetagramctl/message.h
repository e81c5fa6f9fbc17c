/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Error messages. A message names the cause and, after a semicolon, the remedy if there
 * is one.
 */
#ifndef _MESSAGE_H
#define _MESSAGE_H

#include <stddef.h>

#include "util.h"

/* The name of the command that runs; NULL before one was found. */
extern const char *current_command;

/**
 * report_err() - print "mtetagramctl: COMMAND: SUBJECT: MESSAGE" on standard error
 * @subject: what the message is about, usually the path of a device; or NULL
 * @fmt: the message; the arguments may hold any bytes, they are escaped
 */
void report_err(const char *subject, const char *fmt, ...) __printf(2, 3);

/**
 * usage_error() - report wrong arguments, with a hint at --help
 * @fmt: the message
 *
 * Return: EXIT_USAGE.
 */
int usage_error(const char *fmt, ...) __printf(1, 2);

/**
 * escape() - replace each byte that is not printable ASCII by \xNN
 * @to: the result; what does not fit is cut off
 * @size: the room in @to
 * @from: the text
 *
 * Return: @to.
 */
const char *escape(char *to, size_t size, const char *from);

#endif
