/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the commands of mtetagramctl share: their entry points, the exit codes and
 * the form of error messages.
 */
#ifndef _MTETAGRAMCTL_H
#define _MTETAGRAMCTL_H

#include <stddef.h>

/* Documented in mtetagramctl.8: scripts depend on them. */
enum exit_code {
	EXIT_OK		= 0,
	EXIT_ERROR	= 1,	/* failed while running */
	EXIT_USAGE	= 2,	/* wrong arguments; nothing was tried */
	EXIT_NO_DEVICE	= 3,	/* no such device, no driver, no tag storage */
	EXIT_BUSY	= 4,	/* the device is in use */
	EXIT_NO_ROOM	= 5,	/* what is stored does not fit */
	EXIT_DENIED	= 6,	/* not permitted */
	EXIT_UNSUPPORTED = 7,	/* this version of the driver cannot do it */
	EXIT_INTERRUPTED = 8,	/* by the user; everything is in a state to go on from */
};

struct size_arg;

#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

int cmd_status(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_setup(int argc, char **argv);
int cmd_limit(int argc, char **argv);
int cmd_resize(int argc, char **argv);
int cmd_drain(int argc, char **argv);
int cmd_reset(int argc, char **argv);

extern const char *current_command;

/*
 * Print "mtetagramctl: COMMAND: SUBJECT: MESSAGE" on standard error. @subject may
 * be NULL. Say the cause, and after a semicolon the remedy if there is one. Any
 * bytes may be passed: what is not printable is escaped.
 */
void report_err(const char *subject, const char *fmt, ...) __printf(2, 3);

/* The same for wrong arguments, with a hint at --help. Returns EXIT_USAGE. */
int usage_error(const char *fmt, ...) __printf(1, 2);

/* Report an option that getopt_long(), with ":" first, did not like. */
int option_error(int c, char **argv);

/* Parse the size that option --@name was given; 0 is refused. Returns an exit code. */
int size_option(const char *name, const char *text, struct size_arg *arg);

/*
 * Replace what is not printable ASCII by \xNN. @to has room for @size bytes; what
 * does not fit is cut off. Returns @to.
 */
const char *escape(char *to, size_t size, const char *from);

/* Like calloc() and realloc(), but they do not return on failure. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);

#endif
