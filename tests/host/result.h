/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The results of a host test, as KTAP on stdout. For programs of one thread.
 */
#ifndef RESULT_H
#define RESULT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static struct { unsigned int planned, printed, failed; } results;

static void results_begin(unsigned int planned)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	results.planned = planned;
	printf("KTAP version 1\n1..%u\n", planned);
}

__attribute__((format(printf, 2, 3))) static void result(bool ok, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("%s %u ", ok ? "ok" : "not ok", ++results.printed);
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	results.failed += !ok;
}

/* The exit status: 0 only if there were as many results as planned, and all were ok. */
static int results_end(void)
{
	return results.failed || results.printed != results.planned;
}

/* Ends a test that cannot go on. */
__attribute__((format(printf, 1, 2), noreturn, unused))
static void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# ");
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
	abort();
}

#endif /* RESULT_H */
