/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures on demand, and a trace of what is written, for the tests. Only in builds
 * with TEST=1; in all others this is nothing.
 */
#ifndef _FAULT_H
#define _FAULT_H

#include <stdbool.h>

#include "mtetagramctl.h"

#ifdef MTETAGRAM_TEST

/*
 * The error to pretend for an operation ("read", "write", "discard") on a file: 0 for
 * none, -errno, or FAULT_DROP for what is reported as done and is not. @value is what
 * is written, or NULL.
 */
#define FAULT_DROP	1
int fault_inject(const char *operation, const char *file, const char *value);

/* Time for tests: it goes by only here. False if there is none: take the real one. */
bool fault_sleep(unsigned int milliseconds);

/* Append a line to the trace. */
void fault_trace(const char *fmt, ...) __printf(1, 2);

#else

#define FAULT_DROP	1
static inline int fault_inject(const char *operation, const char *file,
			       const char *value)
{
	(void)operation;
	(void)file;
	(void)value;
	return 0;
}

static inline bool fault_sleep(unsigned int milliseconds)
{
	(void)milliseconds;
	return false;
}

__printf(1, 2)
static inline void fault_trace(const char *fmt, ...)
{
	(void)fmt;
}

#endif
#endif
